// @ts-check
import { readKept } from "../lib/kept.js";

/** @import { Connection } from "../lib/connection.js" */
/** @import { Requests } from "../lib/requests.js" */

/**
 * Have an account's read mark follow what is read here, so that it is read on its other devices, too. What could not be
 * told is told when there is a connection again. Guests are not remembered but by their browser.
 * @param {EventTarget} list dispatches `seen` with a mid
 * @param {Connection} connection
 * @param {Requests} requests
 * @param {string} slug
 */
export function keepReadMark(list, connection, requests, slug) {
  // What was read here before, be it without a connection or before signing in.
  let seen = readKept(() => localStorage, `engawa:seen:${slug}`) ?? "";
  let told = "";
  const tell = async () => {
    if (connection.state !== "connected" || seen <= told) return;
    const before = told;
    told = seen;
    await requests.ask({ type: "seen", mid: told }).catch(() => {
      told = before;
    });
  };
  list.addEventListener("seen", (event) => {
    const mid = /** @type {CustomEvent<string>} */ (event).detail;
    if (mid > seen) seen = mid;
    tell();
  });
  connection.addEventListener("state", tell);
}

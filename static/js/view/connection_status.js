// @ts-check
import { byId } from "./page.js";

/** @import { Connection, State } from "../lib/connection.js" */

/** @type {Record<State, string>} */
const WORDS = {
  connecting: "Connecting…",
  connected: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  archived: "Archived",
  closed: "Closed.",
};
const MAKESHIFT = "Live (without WebSocket)";
const CAUGHT_UP_MS = 6_000;

/**
 * Says in words how the connection is, and in `data-state` and `data-makeshift` for styles and tests.
 * @param {Connection} connection
 */
export function showStatus(connection) {
  const status = byId("status");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const show = () => {
    const { state, isMakeshift } = connection;
    clearTimeout(timer);
    status.textContent = state === "connected" && isMakeshift ? MAKESHIFT : WORDS[state];
    if (state === "closed") status.append(` ${connection.reason}`);
    document.body.dataset.state = state;
    document.body.toggleAttribute("data-makeshift", isMakeshift);
  };
  connection.addEventListener("state", show);
  connection.addEventListener("caught-up", (event) => {
    status.textContent = `Caught up, ${/** @type {CustomEvent} */ (event).detail} missed`;
    clearTimeout(timer);
    timer = setTimeout(show, CAUGHT_UP_MS);
  });
  show();
}

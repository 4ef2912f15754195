// @ts-check
import { byId } from "./page.js";

/** @import { Connection, State } from "../lib/connection.js" */

/** @type {Record<State, string>} */
const WORDS = {
  connecting: "Connecting…",
  connected: "Live",
  reconnecting: "Reconnecting…",
  offline: "Offline",
  closed: "Closed. This room is no longer open to you.",
};

/**
 * Says in words how the connection is, and in `data-state` for styles and tests.
 * @param {Connection} connection
 */
export function showStatus(connection) {
  const status = byId("status");
  const show = () => {
    status.textContent = WORDS[connection.state];
    document.body.dataset.state = connection.state;
  };
  connection.addEventListener("state", show);
  show();
}

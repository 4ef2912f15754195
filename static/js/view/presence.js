// @ts-check
import { byId } from "./page.js";

/** @import { Connection } from "../lib/connection.js" */

/**
 * Says how many are here, as long as we hear of it.
 * @param {Connection} connection
 */
export function showPresence(connection) {
  const presence = byId("presence");
  connection.addEventListener("presence", (event) => {
    const { participants, viewers, names } = /** @type {CustomEvent} */ (event).detail;
    presence.textContent = [
      Number.isInteger(participants) ? `${participants} here` : "",
      viewers > 0 ? `${viewers} watching` : "",
    ]
      .filter(Boolean)
      .join(" · ");
    presence.title = Array.isArray(names) ? names.join(", ") : "";
    presence.hidden = !presence.textContent;
  });
  connection.addEventListener("state", () => {
    if (connection.state !== "connected") presence.hidden = true;
  });
}

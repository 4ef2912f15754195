// @ts-check
import { byId } from "./page.js";

/** @import { Connection } from "../lib/connection.js" */

/**
 * Says how many are here, as long as we hear of it; and who, where the room shows that.
 * @param {Connection} connection
 */
export function showPresence(connection) {
  const presence = byId("presence");
  const details = /** @type {HTMLElement} */ (presence.querySelector("details"));
  const [plain, summary] = /** @type {NodeListOf<HTMLElement>} */ (presence.querySelectorAll(".presence__count"));
  const list = /** @type {HTMLElement} */ (presence.querySelector(".presence__names"));
  connection.addEventListener("presence", (event) => {
    const { participants, viewers, names } = /** @type {CustomEvent} */ (event).detail;
    const words = [
      Number.isInteger(participants) ? `${participants} here` : "",
      viewers > 0 ? `${viewers} watching` : "",
    ];
    const hasNames = Array.isArray(names) && names.length > 0;
    plain.textContent = hasNames ? "" : words.filter(Boolean).join(" · ");
    summary.textContent = hasNames ? words.filter(Boolean).join(" · ") : "";
    details.hidden = !hasNames;
    list.replaceChildren(...(hasNames ? names.map(entry) : []));
    presence.hidden = !(plain.textContent || summary.textContent);
  });
  connection.addEventListener("state", () => {
    if (connection.state !== "connected") presence.hidden = true;
  });
}

/** @param {string} name */
function entry(name) {
  const item = document.createElement("li");
  item.dir = "auto";
  item.textContent = name;
  return item;
}

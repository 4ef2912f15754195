// @ts-check
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { Connection } from "../lib/connection.js" */
/** @import { Standing } from "../lib/standing.js" */

/**
 * Shows the ways to a room's other pages to those for whom they are, and to moderators what waits for them.
 * @param {Connection} connection
 * @param {Standing} standing
 */
export function showRoomLinks(connection, standing) {
  const links = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".room__nav [data-for]"));
  const waiting = byId("waiting");
  const count = () => {
    const { held = "0", reports = "0" } = waiting.dataset;
    const sum = Number(held) + Number(reports);
    waiting.hidden = !sum;
    const words = interpolate(ngettext("%(count)s waiting", "%(count)s waiting", sum), { count: inDigits(sum) });
    waiting.textContent = sum ? ` ${words}` : "";
    waiting.title = interpolate(gettext("%(held)s to approve, %(reports)s reported"), { held, reports });
  };
  const show = () => {
    const { may, rights, about } = standing;
    const isFor = new Set([
      ...(may.moderate ? ["moderate", "members"] : []),
      ...(about.visibility === "private" && rights.role !== "none" ? ["members"] : []),
      ...(may.govern ? ["govern"] : []),
    ]);
    for (const link of links) link.hidden = !isFor.has(link.dataset.for ?? "");
  };
  connection.addEventListener("queue", (event) => {
    const { held, reports } = /** @type {CustomEvent} */ (event).detail;
    Object.assign(waiting.dataset, { held, reports });
    count();
  });
  standing.addEventListener("change", show);
  count();
  show();
}

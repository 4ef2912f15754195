// @ts-check
import { gettext, interpolate } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { About } from "../lib/types.js" */

/**
 * Show what is known of the room, or what of it is different now.
 * @param {Partial<About>} about
 */
export function showAbout({ title, topic, language, visibility, archived }) {
  // What else a page is about stands in its title, too: only a new name changes that.
  if (title && title !== byId("title").textContent) {
    byId("title").textContent = title;
    document.title = `${title} · Engawa`;
    byId("scroller").setAttribute("aria-label", interpolate(gettext("Messages in %(room)s"), { room: title }));
  }
  if (topic !== undefined) {
    for (const shown of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#topic, [data-topic]"))) {
      shown.textContent = topic;
      shown.hidden = !topic;
    }
  }
  if (language !== undefined) {
    byId("log").lang = language;
    byId("log").dataset.language = language;
  }
  // Who may watch is something that people here must be able to rely on.
  if (visibility) {
    const now = visibility === "private" ? "private" : "open";
    for (const line of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-visibility]"))) {
      line.hidden = line.dataset.visibility !== now;
    }
  }
  if (archived !== undefined) byId("archived").hidden = !archived;
}

/** What a page says of its room. @param {Document} page @returns {About} */
export function readAbout(page) {
  return JSON.parse(page.getElementById("room")?.dataset.about ?? "{}");
}

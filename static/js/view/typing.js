// @ts-check
import { gettext, interpolate } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { Connection } from "../lib/connection.js" */
/** @import { Standing } from "../lib/standing.js" */
/** @import { Author, RoomEvent } from "../lib/types.js" */

// Said so often while somebody types (the server passes on one in two seconds), and shown a little longer than that.
const SAID_EVERY_MS = 2_500;
const SHOWN_MS = 6_000;
const MOST_NAMED = 2;

/**
 * Shows who is typing, in a room that wants that, and tells others of us.
 * @param {Connection} connection
 * @param {Standing} standing
 * @returns {(text: string) => void} to be called when what is written changes
 */
export function showTyping(connection, standing) {
  const line = byId("typing");
  /** @type {Map<string, { name: string, timer: ReturnType<typeof setTimeout> }>} */
  const people = new Map();
  let saidAt = -Infinity;

  const show = () => {
    const names = [...people.values()].map(({ name }) => name);
    line.textContent = inWords(names);
    line.hidden = !names.length;
  };
  const forget = (/** @type {string} */ id) => {
    clearTimeout(people.get(id)?.timer);
    if (people.delete(id)) show();
  };
  const forgetAll = () => {
    for (const id of [...people.keys()]) forget(id);
  };
  const settle = () => {
    document.body.toggleAttribute("data-shows-typing", standing.about.shows_typing);
    if (!standing.about.shows_typing) forgetAll();
  };

  connection.addEventListener("typing", (event) => {
    const { id, name } = /** @type {{ author: Author }} */ (/** @type {CustomEvent} */ (event).detail).author;
    if (id === connection.me || !standing.about.shows_typing) return;
    clearTimeout(people.get(id)?.timer);
    people.set(id, { name, timer: setTimeout(() => forget(id), SHOWN_MS) });
    show();
  });
  // Whoever has said it does not type it any more.
  connection.addEventListener("event", (event) => {
    const { type, author } = /** @type {RoomEvent} */ (/** @type {CustomEvent} */ (event).detail);
    if (type === "message" && author) forget(author.id);
  });
  connection.addEventListener("state", () => connection.state !== "connected" && forgetAll());
  standing.addEventListener("change", settle);
  settle();

  return (text) => {
    const now = performance.now();
    if (!text.trim()) saidAt = -Infinity;
    else if (standing.about.shows_typing && standing.may.post && now - saidAt >= SAID_EVERY_MS) {
      if (connection.send({ type: "typing" })) saidAt = now;
    }
  };
}

/** @param {string[]} names */
function inWords(names) {
  const [one = "", other = ""] = names;
  if (!names.length) return "";
  if (names.length > MOST_NAMED) return gettext("Several people are typing…");
  return names.length === 1
    ? interpolate(gettext("%(name)s is typing…"), { name: one })
    : interpolate(gettext("%(one)s and %(other)s are typing…"), { one, other });
}

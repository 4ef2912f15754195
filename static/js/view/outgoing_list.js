// @ts-check
import { gettext, interpolate } from "../lib/words.js";
import { byId, cloneTemplate } from "./page.js";

/** @import { OnItsWay, Outbox } from "../lib/outbox.js" */

/**
 * Shows below the log what is on its way there, and offers to do something about what failed.
 * @param {Outbox} outbox
 */
export function showOutgoing(outbox) {
  const list = byId("outgoing");
  /** @type {Map<string, HTMLElement>} */
  const items = new Map();

  const show = () => {
    const { messages } = outbox;
    const keys = new Set(messages.map(({ key }) => key));
    for (const [key, item] of items) {
      if (keys.has(key)) continue;
      leave(item);
      items.delete(key);
    }
    messages.forEach((message, place) => {
      const item = items.get(message.key) ?? makeItem(outbox, message);
      items.set(message.key, item);
      fill(item, message);
      if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
    });
  };
  outbox.addEventListener("change", show);
  show();
}

/** @param {Outbox} outbox @param {OnItsWay} message */
function makeItem(outbox, { key, message }) {
  const item = cloneTemplate("outgoing-template");
  // As it was typed: what it will look like is the server's to say.
  /** @type {HTMLElement} */ (item.querySelector(".message__body")).textContent = message;
  item.querySelector("[data-retry]")?.addEventListener("click", () => {
    outbox.retry(key);
    byId("composer-text").focus();
  });
  item.querySelector("[data-discard]")?.addEventListener("click", () => outbox.discard(key));
  return item;
}

/** @param {HTMLElement} item @param {OnItsWay} message */
function fill(item, { fate, note }) {
  const said = /** @type {HTMLElement} */ (item.querySelector(".message__fate"));
  const isFailed = fate === "failed";
  item.dataset.fate = fate;
  if (isFailed) said.setAttribute("role", "alert");
  else said.removeAttribute("role");
  const words = isFailed ? interpolate(gettext("Not sent. %(why)s"), { why: note }) : note;
  if (said.textContent !== words) said.textContent = words;
  /** @type {HTMLElement} */ (item.querySelector(".message__form")).hidden = !isFailed && fate !== "held";
  /** @type {HTMLElement} */ (item.querySelector("[data-retry]")).hidden = !isFailed;
  // What waits for a moderator is theirs by now.
  /** @type {HTMLElement} */ (item.querySelector("[data-discard]")).textContent = isFailed ? gettext("Discard") : gettext("Dismiss");
}

/** @param {HTMLElement} item */
function leave(item) {
  // Focus would fall back to the top of the page.
  if (item.contains(document.activeElement)) byId("composer-text").focus();
  item.remove();
}

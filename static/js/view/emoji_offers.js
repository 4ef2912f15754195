// @ts-check
import { endsInCode } from "../lib/code_spans.js";
import { emojiIn, findEmoji, hasEmoji, loadEmoji, namesEmoji, withEmoji } from "../lib/emoji.js";
import { gettext } from "../lib/words.js";

/** @import { Source } from "./completion.js" */

const MOST = 8;
// Whoever sends does not wait longer for the names of emoji than this: then it is sent as it was typed.
const PATIENCE_MS = 2_000;

/** Offers emoji for `:nam`. @type {Source} */
export function emojiOffers(before) {
  const written = emojiIn(before);
  // They are fetched at the first colon, and are there when they are asked for.
  if (/[:：]$/u.test(before)) loadEmoji().catch(() => {});
  if (!written || endsInCode(before)) return null;
  const { from, query } = written;
  return loadEmoji().then((all) => ({
    from,
    label: gettext("Emoji"),
    offers: findEmoji(all, query, MOST).map(({ emoji, names, title }) => {
      const sign = document.createElement("span");
      sign.className = "offer__sign";
      sign.setAttribute("aria-hidden", "true");
      sign.textContent = emoji;
      const name = `:${names[0]}:`;
      return { insert: emoji, text: name, sign, more: title === names[0].replaceAll("_", " ") ? undefined : title };
    }),
  }));
}

/**
 * A text as it is sent: with emoji for `:names:`.
 * @param {string} text
 * @returns {string | Promise<string>} at once, unless the names must be fetched first
 */
export function asSent(text) {
  if (!namesEmoji(text)) return text;
  if (hasEmoji()) return withEmoji(text);
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, text));
  return Promise.race([loadEmoji().then(() => withEmoji(text)), late]).catch(() => text);
}


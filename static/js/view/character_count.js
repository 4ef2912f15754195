// @ts-check
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { byId } from "./page.js";

const NEAR = 0.9;
// Long enough for who types on not to be interrupted by every letter.
const SAID_AFTER_MS = 1_000;

/**
 * Says how many characters are left, where few are, or how many are too many. The eye sees it at once; it is read out
 * when somebody pauses.
 * @param {HTMLTextAreaElement} field
 * @param {number} most
 */
export function showCount(field, most) {
  const count = byId("composer-count");
  const seen = /** @type {HTMLElement} */ (count.querySelector("[data-count]"));
  const said = /** @type {HTMLElement} */ (count.querySelector("[data-said]"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const show = () => {
    const { value } = field;
    // Every character has one code unit at least.
    const length = value.length < NEAR * most ? 0 : [...value].length;
    const words = length < NEAR * most ? "" : inWords(most - length);
    const isOver = length > most;
    seen.textContent = words;
    count.toggleAttribute("data-over", isOver);
    if (isOver) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
    clearTimeout(timer);
    if (!words) said.textContent = "";
    else timer = setTimeout(() => (said.textContent = words), SAID_AFTER_MS);
  };
  field.addEventListener("input", show);
  field.addEventListener("emptied", show);
  show();
}

/** @param {number} left */
function inWords(left) {
  const count = inDigits(Math.abs(left));
  if (left === 0) return gettext("No character left");
  return left > 0
    ? interpolate(ngettext("%(count)s character left", "%(count)s characters left", left), { count })
    : interpolate(ngettext("%(count)s character too many", "%(count)s characters too many", -left), { count });
}

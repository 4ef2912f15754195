// @ts-check
import { gettext } from "../lib/words.js";
import { byId } from "./page.js";

const SHOWN_MS = 6_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/**
 * Say what became of something that was asked for.
 * @param {string} text
 * @param {boolean} [isError]
 */
export function say(text, isError = false) {
  const feedback = byId("feedback");
  clearTimeout(timer);
  feedback.textContent = text;
  feedback.classList.toggle("error", isError);
  feedback.hidden = false;
  timer = setTimeout(() => (feedback.hidden = true), SHOWN_MS);
}

/** @param {unknown} error with a sentence for people */
export function complain(error) {
  say(/** @type {Error} */ (error).message, true);
}

/** What somebody wanted to use could not be fetched. */
export function complainOfFetching() {
  say(gettext("There is no answer from the server. Try again."), true);
}

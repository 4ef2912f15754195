// @ts-check

// Safari tells of the end of a composition before the key that ended it, so that this one looks like any other:
// https://bugs.webkit.org/show_bug.cgi?id=165004. Nobody presses a key twice within so short a time.
const SAME_KEYSTROKE_MS = 50;

/**
 * Tells which keys belong to an input method, and mean nothing to us: those that are pressed while a word is composed,
 * and the one that ends it.
 * @param {HTMLElement} field
 * @returns {(event: KeyboardEvent) => boolean}
 */
export function watchComposition(field) {
  let endedAt = -Infinity;
  field.addEventListener("compositionend", ({ timeStamp }) => (endedAt = timeStamp));
  return ({ isComposing, keyCode, timeStamp }) =>
    isComposing || keyCode === 229 || timeStamp - endedAt < SAME_KEYSTROKE_MS;
}

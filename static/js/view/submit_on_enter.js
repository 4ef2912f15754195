// @ts-check
import { watchComposition } from "./input_method.js";

const touch = matchMedia("(hover: none) and (pointer: coarse)");

/** Whether Enter sends: where there is a key for Shift beside it. On a phone's keyboard it breaks the line. */
export const enterSends = () => !touch.matches;

/**
 * Enter submits the field's form and Shift+Enter breaks the line; on a phone Enter breaks the line, and the button
 * submits. Ctrl+Enter (or ⌘) submits anywhere. A key that chooses a word in an input method does nothing of it.
 * @param {HTMLTextAreaElement} field
 */
export function submitOnEnter(field) {
  const isComposing = watchComposition(field);
  const tell = () => (field.enterKeyHint = enterSends() ? "send" : "enter");
  touch.addEventListener("change", tell);
  tell();
  field.addEventListener("keydown", (event) => {
    const isAsked = event.ctrlKey || event.metaKey;
    if (event.key !== "Enter" || event.shiftKey || event.altKey || !(isAsked || enterSends())) return;
    if (isComposing(event)) {
      // The word that it chose is in the field: no line is broken behind it.
      if (!event.isComposing && event.keyCode !== 229) event.preventDefault();
      return;
    }
    event.preventDefault();
    field.form?.requestSubmit();
  });
}

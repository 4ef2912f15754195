// @ts-check

// Safari tells of the end of a composition before the Enter that ended it, so that this Enter looks like any other:
// https://bugs.webkit.org/show_bug.cgi?id=165004. Nobody presses Enter twice within so short a time.
const SAME_KEYSTROKE_MS = 50;

/**
 * Enter submits the field's form, Shift+Enter breaks the line, and an Enter that chooses a word in an input method does
 * neither.
 * @param {HTMLTextAreaElement} field
 */
export function submitOnEnter(field) {
  let composedAt = -Infinity;
  field.addEventListener("compositionend", (event) => (composedAt = event.timeStamp));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (event.timeStamp - composedAt < SAME_KEYSTROKE_MS) return;
    field.form?.requestSubmit();
  });
}

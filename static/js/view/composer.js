// @ts-check
import { newKey } from "../lib/keys.js";
import { byId } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Requests } from "../lib/requests.js" */

/**
 * Where one writes. The text leaves the field when the server has it, and not before.
 *
 * The key belongs to the text: sending the same words again after a lost answer cannot post them twice.
 * @param {Requests} requests
 * @param {() => void} onPosted
 */
export function enhanceComposer(requests, onPosted) {
  const form = /** @type {HTMLFormElement} */ (byId("composer"));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("message"));
  const key = /** @type {HTMLInputElement} */ (form.elements.namedItem("key"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
  const alert = byId("composer-error");
  const most = Number(form.dataset.maxChars);
  let sending = false;
  let triedText = "";

  const send = async () => {
    const text = field.value;
    const length = [...text].length;
    if (sending || !text.trim()) return;
    // Not `maxlength`: it would cut what is pasted, and say nothing.
    if (length > most) {
      alert.textContent = `That is ${length} characters; a message has at most ${most}.`;
      return;
    }
    if (text !== triedText) key.value = newKey();
    triedText = text;
    alert.textContent = "";
    sending = true;
    button.disabled = true;
    try {
      await requests.ask({ type: "post", message: text, key: key.value });
      triedText = "";
      // Whatever was typed behind it meanwhile is the next message.
      if (field.value.startsWith(text)) field.setRangeText("", 0, text.length, "preserve");
      onPosted();
    } catch (error) {
      alert.textContent = /** @type {Error} */ (error).message;
    } finally {
      sending = false;
      button.disabled = false;
    }
  };

  submitOnEnter(field);
  field.addEventListener("input", () => (alert.textContent = ""));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

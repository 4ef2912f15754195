// @ts-check
import { keep, readKept } from "../lib/kept.js";
import { byId } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Outbox } from "../lib/outbox.js" */

// Of this tab alone: two tabs are two trains of thought.
const place = () => sessionStorage;

/**
 * Where one writes. What is sent goes to the outbox and leaves the field at once; what is not sent yet outlives a
 * reload.
 * @param {Outbox} outbox
 * @param {string} room
 * @param {string} me
 * @param {() => void} onSent
 */
export function enhanceComposer(outbox, room, me, onSent) {
  const form = /** @type {HTMLFormElement} */ (byId("composer"));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("message"));
  const alert = byId("composer-error");
  const most = Number(form.dataset.maxChars);
  const draft = `engawa:draft:${room}:${me}`;

  const send = () => {
    const text = field.value;
    const length = [...text].length;
    if (!text.trim()) return;
    // Not `maxlength`: it would cut what is pasted, and say nothing.
    if (length > most) {
      alert.textContent = `That is ${length} characters; a message has at most ${most}.`;
      return;
    }
    try {
      outbox.add(text);
    } catch (error) {
      alert.textContent = /** @type {Error} */ (error).message;
      return;
    }
    field.value = "";
    alert.textContent = "";
    keep(place, draft, "");
    onSent();
  };

  field.value ||= readKept(place, draft) ?? "";
  submitOnEnter(field);
  field.addEventListener("input", () => {
    alert.textContent = "";
    keep(place, draft, field.value);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
  });
}

// @ts-check
import { findItem } from "./message_item.js";
import { cloneTemplate } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Requests } from "../lib/requests.js" */
/** @import { Message } from "../lib/types.js" */

/**
 * Edit a message in its place.
 * @param {Message} message
 * @param {Requests} requests
 * @param {{ hold(why: unknown): void, release(why: unknown): void }} scroller
 */
export function editMessage({ mid, message }, requests, scroller) {
  const item = findItem(mid);
  if (!item || item.classList.contains("message--editing")) return;
  const form = /** @type {HTMLFormElement} */ (cloneTemplate("message-editor"));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("message"));
  const alert = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const close = () => {
    form.remove();
    item.classList.remove("message--editing");
    item.focus({ preventScroll: true });
    scroller.release(form);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    alert.textContent = "";
    try {
      await requests.ask({ type: "edit", mid, message: field.value });
      close();
    } catch (error) {
      alert.textContent = /** @type {Error} */ (error).message;
    }
  });
  form.addEventListener("keydown", (event) => {
    // Escape while composing only takes back the word.
    if (event.key === "Escape" && !event.isComposing) close();
  });
  item.addEventListener("leaving", () => scroller.release(form), { once: true });
  form.querySelector("[data-cancel]")?.addEventListener("click", close);
  field.value = message;
  submitOnEnter(field);
  scroller.hold(form);
  item.classList.add("message--editing");
  item.append(form);
  form.scrollIntoView({ block: "nearest" });
  field.focus();
}

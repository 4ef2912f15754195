// @ts-check
import { Completion } from "./completion.js";
import { asSent } from "./emoji_offers.js";
import { watchComposition } from "./input_method.js";
import { findItem } from "./message_item.js";
import { cloneTemplate } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Requests } from "../lib/requests.js" */
/** @import { Message } from "../lib/types.js" */
/** @import { Source } from "./completion.js" */

/**
 * Edit a message in its place.
 * @param {Message} message
 * @param {Requests} requests
 * @param {{ hold(why: unknown): void, release(why: unknown): void }} scroller
 * @param {Source[]} sources what may be offered while one writes
 */
export function editMessage({ mid, message }, requests, scroller, sources) {
  const item = findItem(mid);
  if (!item || item.classList.contains("message--editing")) return;
  const form = /** @type {HTMLFormElement} */ (cloneTemplate("message-editor"));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("message"));
  const alert = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
  const completion = new Completion(field, sources);
  const isComposing = watchComposition(field);
  const close = () => {
    completion.remove();
    form.remove();
    item.classList.remove("message--editing");
    item.focus({ preventScroll: true });
    scroller.release(form);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    alert.textContent = "";
    try {
      await requests.ask({ type: "edit", mid, message: await asSent(field.value) });
      close();
    } catch (error) {
      alert.textContent = /** @type {Error} */ (error).message;
    }
  });
  form.addEventListener("keydown", (event) => {
    // Escape while composing only takes back the word.
    if (event.key === "Escape" && !isComposing(event)) close();
  });
  item.addEventListener(
    "leaving",
    () => {
      completion.remove();
      scroller.release(form);
    },
    { once: true },
  );
  form.querySelector("[data-cancel]")?.addEventListener("click", close);
  field.value = message;
  submitOnEnter(field);
  scroller.hold(form);
  item.classList.add("message--editing");
  item.append(form);
  form.scrollIntoView({ block: "nearest" });
  field.focus();
}

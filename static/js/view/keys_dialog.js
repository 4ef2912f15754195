// @ts-check
import { keep, readKept } from "../lib/kept.js";
import { byId } from "./page.js";
import { enterSends } from "./submit_on_enter.js";

/** @import { Standing } from "../lib/standing.js" */
/** @import { Dialog } from "./dialog.js" */

const NAME = "engawa:keys";
const ONLY_ON_A_MESSAGE = "only-on-a-message";
const place = () => localStorage;

/**
 * Shows the list of keys: from its button, and by "?" anywhere but in a field, unless somebody does without that (who
 * speaks to their computer may well say a letter that they do not mean).
 * @param {Dialog} dialog
 * @param {Standing} standing
 * @returns {() => void} shows it
 */
export function watchKeys(dialog, standing) {
  const show = () => {
    const form = dialog.ask("ask-keys", null, async () => {});
    const lines = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-for=moderate], [data-enter]"));
    for (const line of lines) {
      const { enter } = line.dataset;
      line.hidden = enter ? (enter === "send") !== enterSends() : !standing.may.moderate;
    }
    const anywhere = /** @type {HTMLInputElement} */ (form.elements.namedItem("anywhere"));
    anywhere.checked = isAnywhere();
    anywhere.addEventListener("change", () => keep(place, NAME, anywhere.checked ? "" : ONLY_ON_A_MESSAGE));
  };
  const button = byId("keys");
  button.hidden = false;
  button.addEventListener("click", show);
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, defaultPrevented, isComposing, target } = event;
    if (key !== "?" || ctrlKey || metaKey || altKey || defaultPrevented || isComposing || !isAnywhere()) return;
    const element = /** @type {HTMLElement} */ (target);
    if (element.closest("input, textarea, select, dialog, [role=menu]") || element.isContentEditable) return;
    event.preventDefault();
    show();
  });
  return show;
}

const isAnywhere = () => readKept(place, NAME) !== ONLY_ON_A_MESSAGE;

// @ts-check
import { chooseKeysAnywhere, meansKeysAnywhere } from "./keys_anywhere.js";
import { enterSends } from "./submit_on_enter.js";

/** @import { Standing } from "../lib/standing.js" */
/** @import { Dialog } from "./dialog.js" */

/**
 * Show the list of keys, as far as they are for whoever asks.
 * @param {Dialog} dialog
 * @param {Standing} standing
 */
export function showKeys(dialog, standing) {
  const form = dialog.ask("ask-keys", null, async () => {});
  const lines = /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-for=moderate], [data-enter]"));
  for (const line of lines) {
    const { enter } = line.dataset;
    line.hidden = enter ? (enter === "send") !== enterSends() : !standing.may.moderate;
  }
  const anywhere = /** @type {HTMLInputElement} */ (form.elements.namedItem("anywhere"));
  anywhere.checked = meansKeysAnywhere();
  anywhere.addEventListener("change", () => chooseKeysAnywhere(anywhere.checked));
}

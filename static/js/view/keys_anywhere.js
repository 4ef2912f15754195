// @ts-check
import { keep, readKept } from "../lib/kept.js";
import { byId } from "./page.js";

const NAME = "engawa:keys";
const ONLY_ON_A_MESSAGE = "message";
const place = () => localStorage;

/** Whether "?" means the list of keys anywhere: somebody who speaks to their computer may do without. */
export const meansKeysAnywhere = () => readKept(place, NAME) !== ONLY_ON_A_MESSAGE;

/** @param {boolean} isAnywhere */
export const chooseKeysAnywhere = (isAnywhere) => keep(place, NAME, isAnywhere ? "" : ONLY_ON_A_MESSAGE);

/**
 * Has the list of keys shown by its button, and by "?" anywhere but in a field.
 * @param {() => void} show
 */
export function watchKeys(show) {
  const button = byId("keys");
  button.hidden = false;
  button.addEventListener("click", show);
  document.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, defaultPrevented, isComposing, target } = event;
    if (key !== "?" || ctrlKey || metaKey || altKey || defaultPrevented || isComposing || !meansKeysAnywhere()) return;
    const element = /** @type {HTMLElement} */ (target);
    if (element.closest("input, textarea, select, dialog, [role=menu]") || element.isContentEditable) return;
    event.preventDefault();
    show();
  });
}

// @ts-check
import { gettext } from "../lib/words.js";
import { watchChooser } from "./chooser.js";

/**
 * Where a room's embedding is chosen, in a dialog.
 * @param {HTMLElement | null} chooser
 * @param {HTMLElement} opener
 */
export function showEmbedDialog(chooser, opener) {
  const dialog = document.createElement("dialog");
  const title = document.createElement("h2");
  const close = document.createElement("button");
  dialog.className = "dialog dialog--wide";
  title.id = "embed-title";
  title.textContent = gettext("Put this room on your own page");
  dialog.setAttribute("aria-labelledby", title.id);
  close.className = "button button--quiet dialog__close";
  close.type = "button";
  close.textContent = gettext("Close");
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove(); // and with it the stream of what it shows
    // The menu that it stands in has closed meanwhile.
    const stands = opener.checkVisibility() ? opener : opener.closest("details")?.querySelector("summary");
    stands?.focus();
  });
  dialog.append(title, /** @type {HTMLElement} */ (chooser), close);
  document.body.append(dialog);
  watchChooser(/** @type {HTMLFormElement} */ (chooser));
  dialog.showModal();
}

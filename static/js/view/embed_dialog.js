// @ts-check
import { gettext } from "../lib/words.js";
import { watchChooser } from "./chooser.js";
import { fetchPage } from "./page.js";

/** Has links to where a room's embedding is chosen ask in a dialog, on the page where one is. */
export function showEmbedDialog() {
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a[data-embed]"));
  link?.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      open((await fetchPage(link.href)).getElementById("chooser"), link);
    } catch {
      location.assign(link.href);
    }
  });
}

/** @param {HTMLElement | null} chooser @param {HTMLElement} opener */
function open(chooser, opener) {
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
    opener.focus();
  });
  dialog.append(title, /** @type {HTMLElement} */ (chooser), close);
  document.body.append(dialog);
  watchChooser(/** @type {HTMLFormElement} */ (chooser));
  dialog.showModal();
}

// @ts-check
import { gettext } from "../lib/words.js";
import { fetchPage } from "./page.js";

/** Has links to where a room's embedding is chosen ask in a dialog, on the page where one is. */
export function showEmbedDialog() {
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a[data-embed]"));
  link?.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const [page, { watchChooser }] = await Promise.all([fetchPage(link.href), import("./chooser.js")]);
      open(page.getElementById("chooser"), link, watchChooser);
    } catch {
      location.assign(link.href);
    }
  });
}

/**
 * @param {HTMLElement | null} chooser
 * @param {HTMLElement} opener
 * @param {(form: HTMLFormElement) => void} watch
 */
function open(chooser, opener, watch) {
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
  watch(/** @type {HTMLFormElement} */ (chooser));
  dialog.showModal();
}

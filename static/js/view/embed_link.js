// @ts-check
import { fetchPage } from "./page.js";

/** Has the link to where a room's embedding is chosen ask in a dialog, on the page where one is. */
export function watchEmbedLink() {
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector("a[data-embed]"));
  link?.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    try {
      const [page, { showEmbedDialog }] = await Promise.all([fetchPage(link.href), import("./embed_dialog.js")]);
      showEmbedDialog(page.getElementById("chooser"), link);
    } catch {
      location.assign(link.href);
    }
  });
}

// @ts-check
import { gettext } from "../lib/words.js";
import { fetchPage } from "./page.js";

const PAUSE_MS = 300;

/**
 * Has the form that chooses how a room is embedded answer at once: the server writes what is copied, and we show it.
 * @param {HTMLFormElement} form templates/feeds/_chooser.html
 */
export function watchChooser(form) {
  /** @param {string} name */
  const part = (name) => /** @type {HTMLElement} */ (form.querySelector(`[data-${name}]`));
  const copy = /** @type {HTMLButtonElement} */ (part("copy"));
  const pop = /** @type {HTMLAnchorElement} */ (part("pop"));
  const preview = /** @type {HTMLIFrameElement} */ (part("preview"));
  const snippet = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pause;
  let asked = new AbortController();

  async function update() {
    asked.abort();
    const { signal } = (asked = new AbortController());
    const chosen = /** @type {any} */ (new FormData(form));
    const page = await fetchPage(`${form.action}?${new URLSearchParams(chosen)}`, signal).catch(() => null);
    if (!page || signal.aborted) return;
    snippet.value = page.querySelector("#chooser-snippet")?.textContent ?? "";
    const shown = page.querySelector("[data-preview]")?.getAttribute("src") ?? "";
    if (shown !== preview.getAttribute("src")) preview.src = shown;
    pop.href = shown;
    part("copied").textContent = "";
  }

  part("update").hidden = true;
  form.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(update, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    update();
  });
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    snippet.select();
    try {
      await navigator.clipboard.writeText(snippet.value);
      part("copied").textContent = gettext("Copied.");
    } catch {
      part("copied").textContent = gettext("Press Ctrl+C to copy it.");
    }
  });
  pop.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open(pop.href, "", "popup,noopener,width=420,height=640");
  });
}

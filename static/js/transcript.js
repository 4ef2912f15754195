// @ts-check
import { gettext, inDigits, interpolate, ngettext } from "./lib/words.js";
import { byId } from "./view/page.js";

// The page where a transcript is taken: the server says beforehand how many messages it will have, and each form has a
// mark that is in it once for each. Without this script the browser downloads by itself, and shows what it has so far.

const form = /** @type {HTMLFormElement} */ (byId("transcript"));
const progress = /** @type {HTMLProgressElement} */ (byId("progress"));
const cancel = /** @type {HTMLButtonElement} */ (byId("cancel"));
const save = /** @type {HTMLAnchorElement} */ (byId("save"));
const status = byId("download-status");
/** @type {AbortController | null} */
let running = null;

form.addEventListener("submit", (event) => {
  const button = /** @type {HTMLButtonElement} */ (event.submitter);
  // What is large is not held in a page's memory: the browser writes it to the disk by itself.
  if (!button?.hasAttribute("formaction") || form.hasAttribute("data-is-large")) return;
  event.preventDefault();
  take(button);
});
cancel.addEventListener("click", () => running?.abort());

/** @param {HTMLButtonElement} button */
async function take(button) {
  running?.abort();
  const stop = (running = new AbortController());
  byId("download").hidden = false;
  cancel.hidden = false;
  save.hidden = true;
  if (save.href) URL.revokeObjectURL(save.href);
  progress.removeAttribute("value");
  say(gettext("Beginning…"));
  try {
    const address = new URL(button.formAction);
    for (const [name, value] of new FormData(form)) if (value) address.searchParams.set(name, String(value));
    const answer = await fetch(address, { signal: stop.signal, credentials: "same-origin" });
    if (!answer.ok) return say((await answer.json()).error?.detail ?? gettext("That did not work."));
    const file = await read(answer, button);
    if (stop.signal.aborted) return;
    save.href = URL.createObjectURL(file.blob);
    save.download = nameOf(answer);
    save.hidden = false;
    if (file.isComplete) save.click();
    const words = file.isComplete
      ? ngettext("Complete: %(count)s message.", "Complete: %(count)s messages.", file.count)
      : ngettext(
          "Incomplete: it ended after %(count)s message. You can save what there is, or try again.",
          "Incomplete: it ended after %(count)s messages. You can save what there is, or try again.",
          file.count,
        );
    say(interpolate(words, { count: inDigits(file.count) }));
  } catch (error) {
    if (running === stop) say(stop.signal.aborted ? gettext("Stopped.") : gettext("The connection was lost. Try again."));
  } finally {
    if (running === stop) cancel.hidden = true;
  }
}

/** @param {Response} answer @param {HTMLButtonElement} button */
async function read(answer, button) {
  const mark = JSON.parse(`"${button.dataset.mark}"`);
  const total = Number(answer.headers.get("Engawa-Messages"));
  const decoder = new TextDecoder();
  /** @type {Uint8Array[]} */
  const parts = [];
  let marks = -Number(button.dataset.extraMarks);
  let tail = "";
  let shownAt = 0;
  progress.max = total || 1;
  const reader = /** @type {ReadableStream<Uint8Array>} */ (answer.body).getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    parts.push(next.value);
    const text = tail + decoder.decode(next.value, { stream: true });
    marks += text.split(mark).length - 1;
    // A mark that is cut in two is found in what comes next; one that is whole must not be found there again.
    tail = text.slice(Math.max(text.lastIndexOf(mark) + mark.length, text.length - mark.length + 1));
    if (performance.now() - shownAt > 200) {
      shownAt = performance.now();
      progress.value = Math.max(0, marks);
      const words = ngettext("%(count)s of %(total)s message", "%(count)s of %(total)s messages", total);
      say(interpolate(words, { count: inDigits(Math.max(0, marks)), total: inDigits(total) }));
    }
  }
  progress.value = progress.max;
  const ending = new TextDecoder().decode(await new Blob(parts.slice(-2)).slice(-400).arrayBuffer());
  return {
    blob: new Blob(parts, { type: answer.headers.get("Content-Type") ?? "" }),
    count: marks,
    isComplete: /complete/i.test(ending) && !/incomplete/i.test(ending),
  };
}

/** @param {Response} answer */
function nameOf(answer) {
  const said = answer.headers.get("Content-Disposition") ?? "";
  const encoded = said.match(/filename\*=utf-8''([^;]+)/i)?.[1];
  return encoded ? decodeURIComponent(encoded) : (said.match(/filename="([^"]+)"/)?.[1] ?? "transcript");
}

/** @param {string} words */
function say(words) {
  status.textContent = words;
}

// @ts-check
import { Backoff } from "./lib/backoff.js";
import { SeveralStream } from "./lib/several_stream.js";
import { gettext } from "./lib/words.js";
import { byId, fetchPage } from "./view/page.js";
import { Pane } from "./view/pane.js";

// Several rooms side by side, live on one stream.

const WORDS = {
  connecting: gettext("Connecting…"),
  connected: gettext("Live"),
  reconnecting: gettext("Reconnecting…"),
  archived: gettext("Archived"),
  closed: gettext("Closed. These rooms are no longer open to you."),
};

const panes = new Map(
  Array.from(/** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".pane")), (section) => {
    const pane = new Pane(section);
    return [pane.slug, pane];
  }),
);
const { streamUrl } = byId("several").dataset;

if (streamUrl) {
  const cursors = new Map(Array.from(panes, ([slug, pane]) => [slug, pane.cursor]));
  const stream = new SeveralStream(streamUrl, cursors);
  /** @param {string} type @param {(detail: any) => void} listener */
  const on = (type, listener) =>
    stream.addEventListener(type, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  on("event", (event) => panes.get(event.room)?.apply(event));
  on("gone", (slug) => panes.get(slug)?.close());
  on("reset", (slug) => renew(stream, slug));
  on("state", (/** @type {keyof typeof WORDS} */ state) => {
    byId("status").textContent = WORDS[state];
    document.body.dataset.state = state;
    if (state === "closed") for (const pane of panes.values()) pane.close();
  });
  stream.start();
}

/**
 * The log cannot say what was missed in a room: show it as it is now.
 * @param {SeveralStream} stream
 * @param {string} slug
 */
async function renew(stream, slug, backoff = new Backoff()) {
  const pane = panes.get(slug);
  if (!pane) return;
  try {
    const page = await fetchPage(location.href);
    const found = Array.from(/** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll(".pane"))).find(
      ({ dataset }) => dataset.slug === slug,
    );
    if (found) pane.renew(found);
    else pane.close();
    stream.resumed(slug, pane.cursor);
  } catch (error) {
    console.warn("Engawa: a room could not be read again yet.", error);
    setTimeout(() => renew(stream, slug, backoff), backoff.next());
  }
}

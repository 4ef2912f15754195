// @ts-check
import { Connection } from "./lib/connection.js";
import { toldBy } from "./lib/standing.js";
import { streamDial } from "./lib/stream.js";
import { inDigits, interpolate, ngettext } from "./lib/words.js";
import { readAbout, showAbout } from "./view/about.js";
import { showStatus } from "./view/connection_status.js";
import { byId, fetchPage, ownPage } from "./view/page.js";
import { Pinned } from "./view/pinned.js";
import { noticePeople, offerFullscreen, stayAwake } from "./view/screen.js";
import { WallLog } from "./view/wall_log.js";

/** @import { About, Message } from "./lib/types.js" */

// A room on the screen of an event. It may hang there for days, and nobody comes to reload it.

const HOUR_MS = 3_600_000;
// A room that was closed to us may be opened again.
const ASK_AGAIN_MS = 60_000;

const list = new WallLog();
const pinned = new Pinned((mid) => list.get(mid));
const connection = new Connection(streamDial(byId("room").dataset.streamUrl ?? ""), Number(byId("log").dataset.cursor), renew);

connection.addEventListener("event", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  list.apply(detail);
  if (detail.type === "message.edited") pinned.changed(/** @type {Message} */ (detail));
  show(toldBy(detail));
});
connection.addEventListener("presence", (event) => showPeople(/** @type {CustomEvent} */ (event).detail));
connection.addEventListener("state", () => {
  if (connection.state !== "connected") byId("people").hidden = true;
  if (connection.state === "closed") setTimeout(comeBack, ASK_AGAIN_MS);
});
showStatus(connection);
connection.start();
offerFullscreen(byId("fullscreen"));
stayAwake();
noticePeople(byId("room"));
setInterval(() => list.retell(), HOUR_MS);

/** @param {Partial<About>} about */
function show(about) {
  showAbout(about);
  pinned.show(about.pinned);
}

async function renew() {
  const page = await fetchPage(ownPage());
  list.renew(page);
  pinned.renewed(page);
  show(readAbout(page));
  return Number(page.getElementById("log")?.dataset.cursor);
}

/** @param {{ participants?: number, viewers?: number }} people */
function showPeople({ participants = 0, viewers = 0 }) {
  const here = ngettext("%(count)s here", "%(count)s here", participants);
  const watching = ngettext("%(count)s watching", "%(count)s watching", viewers);
  const words = [
    participants > 0 ? interpolate(here, { count: inDigits(participants) }) : "",
    viewers > 0 ? interpolate(watching, { count: inDigits(viewers) }) : "",
  ];
  byId("people").textContent = words.filter(Boolean).join(" · ");
  byId("people").hidden = !words.some(Boolean);
}

// To load a page that refuses would be the end of this one.
async function comeBack() {
  try {
    await fetchPage(location.href);
    location.reload();
  } catch {
    setTimeout(comeBack, ASK_AGAIN_MS);
  }
}

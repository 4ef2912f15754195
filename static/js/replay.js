// @ts-check
import { Connection } from "./lib/connection.js";
import { streamDial } from "./lib/stream.js";
import { gettext, interpolate, pageLanguage } from "./lib/words.js";
import { Announcer } from "./view/announcer.js";
import { MessageList } from "./view/message_list.js";
import { byId } from "./view/page.js";

/** @import { Message, RoomEvent } from "./lib/types.js" */

// A room, played again as it stands now. Two streams: one tells what was said, from the message where we are and as
// fast as is wished; the room's own tells meanwhile, and while we pause, what is edited or deleted of what is shown.

const RETRY_MS = 3000;
// So many messages may have changed before they are told. Beyond that they are asked for anew, as they are by then.
const MOST_AHEAD = 1000;
const CHANGES = ["message.edited", "message.deleted", "message.redacted", "message.reactions"];

const { streamUrl = "", replayUrl = "" } = byId("room").dataset;
const list = new MessageList();
new Announcer(list);
const button = byId("play");
const speed = /** @type {HTMLSelectElement} */ (byId("speed"));
const progress = /** @type {HTMLProgressElement} */ (byId("progress"));
const now = byId("now");
const status = byId("status");
const shownTime = new Intl.DateTimeFormat(pageLanguage(), { dateStyle: "medium", timeStyle: "medium" });

/** @type {EventSource | null} */
let source = null;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let retry;
/** The message that was told last: where to go on from. */
let last = "";
let isAtEnd = false;
let begins = NaN;
let ends = NaN;
/**
 * What changed of messages that are still to come, the last of each kind: what is on its way may be as it was before.
 * @type {Map<string, RoomEvent[]>}
 */
const ahead = new Map();

const present = new Connection(streamDial(streamUrl), Number(byId("log").dataset.cursor), async () => {
  // What has changed of what is shown, nobody can say: show it from here on.
  const page = await list.reload();
  return Number(page.getElementById("log")?.dataset.cursor);
});
present.addEventListener("event", (event) => {
  const { detail } = /** @type {CustomEvent<RoomEvent>} */ (event);
  if (!CHANGES.includes(detail.type)) return;
  if (list.get(detail.mid)) list.apply(detail);
  else if (source && detail.mid > last) keepAhead(detail);
});
present.addEventListener("state", () => {
  if (present.state === "closed") stop(present.reason);
});
present.start();

byId("controls").hidden = false;
button.addEventListener("click", () => (source || retry ? stop(gettext("Paused.")) : play()));
speed.addEventListener("change", () => (source || retry) && play());

function play() {
  if (isAtEnd) {
    for (const item of [...byId("log").children]) forget(/** @type {HTMLElement} */ (item));
    last = "";
    isAtEnd = false;
  }
  hangUp();
  const url = new URL(replayUrl, location.href);
  url.searchParams.set("speed", speed.value);
  if (last) url.searchParams.set("lastEventId", last);
  const opened = (source = new EventSource(url));
  button.textContent = gettext("Pause");
  status.textContent = gettext("Playing.");
  /** @param {string} type @param {(data: any) => void} listener */
  const on = (type, listener) => opened.addEventListener(type, ({ data }) => opened === source && listener(JSON.parse(data)));
  on("replay-open", (about) => {
    begins = Date.parse(about.from);
    ends = Date.parse(about.to);
  });
  on("message", (/** @type {Message & RoomEvent} */ message) => {
    last = message.mid;
    list.apply(message);
    for (const change of ahead.get(message.mid) ?? []) list.apply(change);
    ahead.delete(message.mid);
    const at = Date.parse(message.at);
    now.textContent = shownTime.format(at);
    progress.value = ends > begins ? (at - begins) / (ends - begins) : 1;
  });
  on("replay-gap", ({ seconds }) => (status.textContent = interpolate(gettext("Skipped %(time)s of silence."), { time: spoken(seconds) })));
  on("replay-end", finish);
  on("stream-error", ({ text }) => stop(text));
  on("stream-reset", again);
  on("going-away", again);
  opened.onerror = () => opened === source && lost(url);
}

/** An EventSource does not say why it ended: ask. @param {URL} url */
async function lost(url) {
  again();
  try {
    const enough = new AbortController();
    if (last) url.searchParams.set("lastEventId", last);
    const answer = await fetch(url, { signal: enough.signal, credentials: "same-origin" });
    const { status } = answer;
    const why = status >= 400 ? (await answer.json()).error?.detail : "";
    enough.abort();
    if (!retry) return;
    if (status === 204) finish();
    else if (status === 404 || status === 403 || status === 400) stop(why);
    else if (status >= 400) byId("status").textContent = why;
  } catch {
    // Then it is tried again.
  }
}

/** Go on from here in a moment. */
function again() {
  hangUp();
  status.textContent = gettext("The connection was lost; trying again…");
  retry = setTimeout(play, RETRY_MS);
}

function finish() {
  isAtEnd = true;
  progress.value = 1;
  stop(gettext("That was all."));
  button.textContent = gettext("Play again");
}

/** @param {string} words */
function stop(words) {
  hangUp();
  button.textContent = gettext("Play");
  status.textContent = words;
}

// Whatever is asked for from now on is as it stands then.
function hangUp() {
  source?.close();
  source = null;
  ahead.clear();
  clearTimeout(retry);
  retry = undefined;
}

/** @param {RoomEvent} change */
function keepAhead(change) {
  const before = ahead.get(change.mid) ?? [];
  ahead.set(change.mid, [...before.filter(({ type }) => type !== change.type), change]);
  if (ahead.size > MOST_AHEAD) play();
}

/** @param {HTMLElement} item */
function forget(item) {
  list.apply(/** @type {RoomEvent} */ ({ type: "message.deleted", mid: item.dataset.mid ?? "" }));
}

/** @param {number} seconds */
function spoken(seconds) {
  const [count, unit] = seconds < 90 ? [seconds, "second"] : seconds < 5400 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return new Intl.NumberFormat(pageLanguage(), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: 0 }).format(count);
}

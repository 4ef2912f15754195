// @ts-check

/** @import { Dial } from "./types.js" */

/** What an event of a room's log may be. */
export const EVENT_TYPES = [
  "message",
  "message.edited",
  "message.deleted",
  "message.redacted",
  "message.reactions",
  "message.pinned",
  "message.unpinned",
  "room.changed",
  "room.archived",
  "room.reopened",
];
// More than two of the heartbeats that a stream sends by default.
export const SILENCE_SECONDS = 65;
// How long to leave a room alone in which nothing happens.
export const REST_SECONDS = 60;

/**
 * Watches by Server-Sent Events. Each call is one EventSource, given up at its first error: by itself it would
 * retry without growing delays, and never again after any answer but 200.
 * @param {string} address with `lastEventId=<prefix>:<number>`
 * @returns {Dial}
 */
export function streamDial(address) {
  return (cursor, line) => {
    const url = new URL(address, location.href);
    const prefix = (url.searchParams.get("lastEventId") ?? "").replace(/\d*$/, "");
    url.searchParams.set("lastEventId", prefix + cursor);
    const source = new EventSource(url);
    const closed = new AbortController();
    const { signal } = closed;

    /** @param {string} type @param {(event: MessageEvent) => void} listener */
    const on = (type, listener) => source.addEventListener(type, listener, { signal });
    for (const type of [...EVENT_TYPES, "presence", "you", "queue"]) on(type, ({ data }) => line.frame(JSON.parse(data)));
    on("stream-open", () => line.opened());
    on("stream-reset", () => line.frame({ type: "reset" }));
    on("stream-error", () => line.lost());
    on("heartbeat", ({ data }) => {
      line.expect(SILENCE_SECONDS);
      line.frame(JSON.parse(data));
    });
    on("going-away", ({ data }) => line.frame({ ...JSON.parse(data), type: "error" }));
    on("error", async () => {
      const reason = source.readyState === EventSource.CLOSED ? await whyRefused(url, signal) : {};
      if (signal.aborted) return;
      if (reason.isGone) line.refused(reason.why);
      else if (reason.isResting) line.resting(REST_SECONDS);
      else line.lost(reason.retryAfter);
    });

    return {
      close() {
        closed.abort();
        source.close();
      },
    };
  };
}

/**
 * Whether there is nothing here to come back to (and why, where that is said), or else when to come back. An
 * EventSource keeps the answer to itself, so ask once more, and hang up before the body of a good answer, which may
 * never end.
 * @param {URL} url
 * @param {AbortSignal} signal
 * @returns {Promise<{ isGone?: boolean, why?: string, isResting?: boolean, retryAfter?: number }>}
 */
export async function whyRefused(url, signal) {
  const enough = new AbortController();
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, enough.signal]), credentials: "same-origin" });
    const { status } = answer;
    if (status === 403) return { isGone: true, why: (await answer.json()).error?.detail };
    return { isGone: status === 404, isResting: status === 204, retryAfter: retryAfter(answer) };
  } catch {
    return {};
  } finally {
    enough.abort();
  }
}

/**
 * How many seconds an answer wants us to wait, where it says so in seconds.
 * @param {Response} answer
 * @returns {number | undefined}
 */
export function retryAfter(answer) {
  const said = answer.headers.get("Retry-After") ?? "";
  return /^\d{1,6}$/.test(said) ? Number(said) : undefined;
}

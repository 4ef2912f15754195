// @ts-check

/** @import { Dial, Frame } from "./types.js" */

const EVENT_TYPES = ["message", "message.edited", "message.deleted", "message.redacted", "room.changed"];
// More than two of the heartbeats that a stream sends by default.
const SILENCE_SECONDS = 65;

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
    for (const type of EVENT_TYPES) on(type, ({ data }) => line.frame(JSON.parse(data)));
    on("stream-open", () => line.opened());
    on("stream-reset", () => line.frame({ type: "reset" }));
    on("stream-error", () => line.lost());
    on("heartbeat", () => line.expect(SILENCE_SECONDS));
    on("error", async () => {
      const refused = source.readyState === EventSource.CLOSED && (await isGone(url, signal));
      if (signal.aborted) return;
      if (refused) line.refused();
      else line.lost();
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
 * Whether there is nothing here to come back to. An EventSource keeps the status to itself, so ask once more, and
 * hang up before the answer's body, which may never end.
 * @param {URL} url
 * @param {AbortSignal} signal
 */
async function isGone(url, signal) {
  const enough = new AbortController();
  try {
    const answer = await fetch(url, { signal: AbortSignal.any([signal, enough.signal]), credentials: "same-origin" });
    return answer.status === 404;
  } catch {
    return false;
  } finally {
    enough.abort();
  }
}

// @ts-check
import { Backoff } from "./backoff.js";
import { EVENT_TYPES, REST_SECONDS, SILENCE_SECONDS, whyRefused } from "./stream.js";

/** @import { Frame, RoomEvent } from "./types.js" */
/** @typedef {"connecting" | "connected" | "reconnecting" | "archived" | "closed"} State */

const GOOD_AFTER_MS = 10_000;

/**
 * One stream of several rooms, that comes back by itself, from where it was in each.
 *
 * Dispatches `state` (detail: State), `event` (detail: RoomEvent; of each room each number once, rising), `reset`
 * (detail: a slug; show that room anew and call `resumed`) and `gone` (detail: a slug; nothing more comes of that room).
 */
export class SeveralStream extends EventTarget {
  /** @type {State} */
  state = "connecting";
  #address;
  /** The number up to which each room was told, by slug. @type {Map<string, number>} */
  #cursors;
  #backoff = new Backoff();
  /** @type {EventSource | null} */
  #source = null;
  #closed = new AbortController();
  #openedAt = Infinity;
  /** @type {number | undefined} */
  #invitedSeconds;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /** @param {string} address @param {Map<string, number>} cursors */
  constructor(address, cursors) {
    super();
    this.#address = address;
    this.#cursors = cursors;
  }

  start() {
    addEventListener("pagehide", () => this.#hangUp());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#open());
    addEventListener("online", () => this.state === "reconnecting" && this.#open());
    this.#open();
  }

  /** A room is shown as it was at the number `cursor`; all that is left goes on. @param {string} slug @param {number} cursor */
  resumed(slug, cursor) {
    this.#cursors.set(slug, cursor);
    this.#open();
  }

  #open = () => {
    this.#hangUp();
    this.#closed = new AbortController();
    const { signal } = this.#closed;
    const url = new URL(this.#address, location.href);
    const places = Array.from(this.#cursors, ([slug, cursor]) => `${encodeURIComponent(slug)}:${cursor}`);
    url.searchParams.set("lastEventId", places.join(","));
    const source = (this.#source = new EventSource(url));

    /** @param {string} type @param {(data: Frame) => void} listener */
    const on = (type, listener) =>
      source.addEventListener(type, ({ data }) => listener(data ? JSON.parse(data) : {}), { signal });
    for (const type of EVENT_TYPES) on(type, (event) => this.#take(/** @type {any} */ (event)));
    on("stream-open", () => this.#opened());
    on("heartbeat", () => this.#listen());
    on("going-away", ({ retry_after }) => (this.#invitedSeconds = Number(retry_after)));
    on("stream-error", ({ channels }) => channels.forEach((/** @type {string} */ slug) => this.#tell("gone", slug)));
    on("stream-reset", ({ channels }) => {
      // The cursors stay as they are until the page shows the room anew, and then all rooms go on from theirs.
      this.#hangUp();
      channels.forEach((/** @type {string} */ slug) => this.#tell("reset", slug));
    });
    source.addEventListener("error", () => this.#failed(url, source, signal), { signal });
    this.#listen();
  };

  #opened() {
    this.#openedAt = performance.now();
    this.#become("connected");
    this.#listen();
  }

  /** @param {RoomEvent} event */
  #take(event) {
    this.#listen();
    if (event.id <= (this.#cursors.get(event.room) ?? Infinity)) return;
    this.#cursors.set(event.room, event.id);
    this.#tell("event", event);
  }

  /** @param {URL} url @param {EventSource} source @param {AbortSignal} signal */
  async #failed(url, source, signal) {
    const reason = source.readyState === EventSource.CLOSED ? await whyRefused(url, signal) : {};
    if (signal.aborted) return;
    if (reason.isGone) {
      this.#hangUp();
      this.#become("closed");
    } else if (reason.isResting) {
      this.#hangUp();
      this.#become("archived");
      this.#retry = setTimeout(this.#open, REST_SECONDS * 1000);
    } else this.#lost(reason.retryAfter);
  }

  /** @param {number} [seconds] when the server wants us back */
  #lost(seconds = this.#invitedSeconds) {
    if (performance.now() - this.#openedAt > GOOD_AFTER_MS) this.#backoff.reset();
    this.#invitedSeconds = undefined;
    this.#hangUp();
    this.#become("reconnecting");
    this.#retry = setTimeout(this.#open, seconds === undefined ? this.#backoff.next() : seconds * 1000);
  }

  #hangUp() {
    clearTimeout(this.#silence);
    clearTimeout(this.#retry);
    this.#openedAt = Infinity;
    this.#closed.abort();
    this.#source?.close();
    this.#source = null;
  }

  #listen() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#lost(), SILENCE_SECONDS * 1000);
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.#tell("state", state);
  }

  /** @param {string} type @param {State | RoomEvent | string} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

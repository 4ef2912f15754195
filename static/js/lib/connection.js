// @ts-check
import { Backoff } from "./backoff.js";

/** @import { Call, Dial, Frame, RoomEvent } from "./types.js" */
/** @typedef {"connecting" | "connected" | "reconnecting" | "offline" | "closed"} State */

// A connection that lived this long was a good one: the next loss starts again from the shortest delay. Without it a
// server that accepts and drops would be asked twice a second, for ever.
const GOOD_AFTER_MS = 10_000;
const OPENING_SECONDS = 20;
const PROBE_SECONDS = 5;

/**
 * A connection to a room that comes back by itself, from where it was, whatever carries it.
 *
 * Dispatches `state` (detail: State), `event` (detail: RoomEvent; each number once, rising) and `answer`
 * (detail: a `posted` or `error` frame).
 */
export class Connection extends EventTarget {
  /** @type {State} */
  state = "connecting";
  #cursor;
  #dial;
  #resync;
  #backoff;
  /** @type {Call | null} */
  #call = null;
  #openedAt = Infinity;
  #silenceSeconds = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;

  /**
   * @param {Dial} dial
   * @param {number} cursor the number of the last event that the page already shows
   * @param {() => Promise<number>} resync shows the room as it is now, and says at which number that was read; called
   *   when the server can no longer tell what was missed
   * @param {Backoff} backoff
   */
  constructor(dial, cursor, resync, backoff = new Backoff()) {
    super();
    this.#dial = dial;
    this.#cursor = cursor;
    this.#resync = resync;
    this.#backoff = backoff;
  }

  start() {
    addEventListener("online", this.#hurry);
    addEventListener("offline", this.#probe);
    document.addEventListener("visibilitychange", this.#hurry);
    // A page kept for "back" must hold no connection, and may come to life again.
    addEventListener("pagehide", this.#hangUp);
    addEventListener("pageshow", this.#hurry);
    this.#open();
  }

  /** @param {Frame} frame @returns {boolean} whether it was handed to a living connection */
  send(frame) {
    if (this.state !== "connected" || !this.#call?.send) return false;
    this.#call.send(frame);
    return true;
  }

  #open = () => {
    this.#hangUp();
    this.#expect(OPENING_SECONDS);
    this.#call = this.#dial(this.#cursor, {
      opened: () => {
        this.#openedAt = performance.now();
        this.#expect(0);
        this.#become("connected");
      },
      expect: (seconds) => this.#expect(seconds),
      frame: (frame) => {
        this.#listen();
        this.#take(frame);
      },
      lost: this.#lost,
      refused: () => this.#close(),
    });
  };

  /** @param {Frame} frame */
  #take(frame) {
    if (frame.type === "batch") frame.events.forEach((/** @type {Frame} */ event) => this.#take(event));
    else if (frame.type === "reset") this.#startOver();
    else if (frame.type === "posted" || frame.type === "error") this.#tell("answer", frame);
    else if (Number.isInteger(frame.id) && frame.id > this.#cursor) {
      this.#cursor = frame.id;
      this.#tell("event", frame);
    }
  }

  // Hangs up first, so that nothing is shown twice or torn between the old page and the new one. If the page cannot
  // be had, the cursor stays as it was and the server will say `reset` again.
  async #startOver() {
    this.#hangUp();
    this.#become("reconnecting");
    try {
      this.#cursor = await this.#resync();
    } catch (error) {
      console.warn("Engawa: the room could not be read again yet.", error);
    }
    this.#retryLater();
  }

  #lost = () => {
    if (performance.now() - this.#openedAt > GOOD_AFTER_MS) this.#backoff.reset();
    this.#openedAt = Infinity;
    this.#hangUp();
    this.#become(navigator.onLine ? "reconnecting" : "offline");
    this.#retryLater();
  };

  #close() {
    this.#hangUp();
    this.#become("closed");
    removeEventListener("online", this.#hurry);
    removeEventListener("offline", this.#probe);
    document.removeEventListener("visibilitychange", this.#hurry);
    removeEventListener("pagehide", this.#hangUp);
    removeEventListener("pageshow", this.#hurry);
  }

  #retryLater() {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(this.#open, this.#backoff.next());
  }

  #hangUp = () => {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#call?.close();
    this.#call = null;
  };

  #hurry = () => {
    if (document.visibilityState === "hidden") return;
    if (this.#call) this.#probe();
    else this.#open();
  };

  // "offline" may be false (a server on this very machine needs no network), and a wire may have died while the
  // machine slept: ask, and believe the silence.
  #probe = () => {
    if (this.send({ type: "ping" })) this.#listen(PROBE_SECONDS);
  };

  /** @param {number} seconds */
  #expect(seconds) {
    this.#silenceSeconds = seconds;
    this.#listen();
  }

  #listen(seconds = this.#silenceSeconds) {
    clearTimeout(this.#silence);
    if (seconds) this.#silence = setTimeout(this.#lost, seconds * 1000);
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.#tell("state", state);
  }

  /** @param {string} type @param {State | Frame | RoomEvent} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

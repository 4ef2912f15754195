// @ts-check
import { Backoff } from "./backoff.js";
import { gettext } from "./words.js";

/** @import { About, Call, Dial, Frame, Line, Rights, RoomEvent } from "./types.js" */
/** @typedef {"connecting" | "connected" | "reconnecting" | "offline" | "archived" | "closed"} State */

// A connection that lived this long was a good one: the next loss starts again from the shortest delay. Without it a
// server that accepts and drops would be asked twice a second, for ever.
const GOOD_AFTER_MS = 10_000;
const OPENING_SECONDS = 20;
const PROBE_SECONDS = 5;
// Where the system says that there is no network, it is nearly always right.
const OFFLINE_PROBE_SECONDS = 2;
const LONGEST_WAIT_SECONDS = 600;
const noLongerOpen = () => gettext("This room is no longer open to you.");
// A transport that cannot say how far the log went is taken to have brought all when it pauses for so long.
const CAUGHT_UP_AFTER_MS = 1000;

/**
 * A connection to a room that comes back by itself, from where it was, whatever carries it.
 *
 * Dispatches `state` (detail: State; `connected` again whenever another call took over), `event` (detail: RoomEvent;
 * each number once, rising), `answer` (detail: a `posted`, `held`, `done` or `error` frame), `presence`, `typing` and
 * `queue` (detail: that frame), `name` (detail: the name that one posts in by now), `rights` (detail: Rights), `about`
 * (detail: About) and `caught-up` (detail: how many messages of others came while it was away).
 */
export class Connection extends EventTarget {
  /** @type {State} */
  state = "connecting";
  /** As whom one posts: the `id` of an author. */
  me;
  /** Once it is closed: why, as a sentence for people. */
  reason = noLongerOpen();
  #cursor;
  #dial;
  #resync;
  #backoff;
  /** @type {Call | null} */
  #call = null;
  #openedAt = Infinity;
  #silenceSeconds = 0;
  #isResyncing = false;
  /** In how many seconds the server wants us back, if it is about to leave. @type {number | undefined} */
  #invitedSeconds;
  /** Whether we wait for a moment that the server chose. */
  #isInvited = false;
  /** What is counted since we are back. @type {{ upTo: number, messages: number } | null} */
  #resumption = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /**
   * @param {Dial} dial
   * @param {number} cursor the number of the last event that the page already shows
   * @param {() => Promise<number>} resync shows the room as it is now, and says at which number that was read; called
   *   when the server can no longer tell what was missed
   * @param {string} me who the page was made for, until a transport knows better
   * @param {Backoff} backoff
   */
  constructor(dial, cursor, resync, me = "", backoff = new Backoff()) {
    super();
    this.#dial = dial;
    this.#cursor = cursor;
    this.#resync = resync;
    this.me = me;
    this.#backoff = backoff;
  }

  /** The number of the last event that was told of. */
  get cursor() {
    return this.#cursor;
  }

  /** Whether what carries it now only stands in for something better. */
  get isMakeshift() {
    return Boolean(this.#call?.isMakeshift);
  }

  start() {
    addEventListener("online", this.#online);
    addEventListener("offline", this.#offline);
    document.addEventListener("visibilitychange", this.hurry);
    // A page kept for "back" must hold no connection, and may come to life again.
    addEventListener("pagehide", this.#leave);
    addEventListener("pageshow", this.hurry);
    this.#open();
  }

  /** @param {Frame} frame @returns {boolean} whether it was handed to a living connection */
  send(frame) {
    if (this.state !== "connected" || !this.#call?.send) return false;
    this.#call.send(frame);
    return true;
  }

  /** Somebody is there and waits: come back now, or make sure that we are still here. */
  hurry = () => {
    if (document.visibilityState === "hidden" || this.state === "closed") return;
    if (this.#call) this.#probe();
    else this.#open();
  };

  /** Give this call up: what should have been answered was not. */
  drop() {
    if (this.#call) this.#lost();
  }

  #open = () => {
    if (this.#isResyncing) return;
    this.#hangUp();
    this.#isInvited = false;
    this.#expect(OPENING_SECONDS);
    this.#call = this.#dial(this.#cursor, {
      opened: this.#opened,
      expect: (seconds) => this.#expect(seconds),
      frame: (frame) => {
        this.#listen();
        this.#invitedSeconds = undefined;
        this.#take(frame);
      },
      lost: this.#lost,
      resting: (seconds) => this.#rest(seconds),
      refused: (why) => this.#close(why),
    });
  };

  /** @type {Line["opened"]} */
  #opened = (welcome) => {
    const isBack = this.state === "reconnecting" || this.state === "offline";
    this.#openedAt = performance.now();
    this.me = welcome?.me ?? this.me;
    this.#expect(0);
    if (welcome?.name) this.#tell("name", welcome.name);
    if (welcome?.about) this.#tell("about", welcome.about);
    if (welcome?.rights) this.#tell("rights", welcome.rights);
    this.#become("connected");
    this.#resumption = isBack ? { upTo: welcome?.head ?? Infinity, messages: 0 } : null;
    this.#count();
  };

  /** @param {Frame} frame */
  #take(frame) {
    switch (frame.type) {
      case "batch":
        return frame.events.forEach((/** @type {Frame} */ event) => this.#take(event));
      case "reset":
        return this.#startOver();
      case "heartbeat":
        return this.#resumption?.upTo === Infinity && this.#caughtUp();
      case "presence":
      case "typing":
      case "queue":
        return this.#tell(frame.type, frame);
      case "you":
        return this.#tell("rights", frame);
      case "error":
        if (frame.key === undefined) this.#prepareFor(frame);
        return this.#tell("answer", frame);
      case "posted":
      case "held":
      case "done":
        return this.#tell("answer", frame);
    }
    if (!Number.isInteger(frame.id) || frame.id <= this.#cursor) return;
    this.#cursor = frame.id;
    this.#count(frame);
    this.#tell("event", frame);
  }

  // An error that answers nothing is the last word before the end.
  /** @param {Frame} error */
  #prepareFor({ code, detail, retry_after }) {
    if (retry_after >= 0) this.#invitedSeconds = Number(retry_after);
    this.reason = code === "room.not_found" || !detail ? noLongerOpen() : detail;
  }

  /** @param {Frame} [event] */
  #count(event) {
    if (!this.#resumption) return;
    const { upTo } = this.#resumption;
    if (event?.type === "message" && event.id <= upTo && event.author.id !== this.me) this.#resumption.messages++;
    clearTimeout(this.#pause);
    if (this.#cursor >= upTo) this.#caughtUp();
    else if (upTo === Infinity) this.#pause = setTimeout(() => this.#caughtUp(), CAUGHT_UP_AFTER_MS);
  }

  #caughtUp() {
    clearTimeout(this.#pause);
    const missed = this.#resumption?.messages;
    this.#resumption = null;
    if (missed) this.#tell("caught-up", missed);
  }

  // Hangs up first, so that nothing is shown twice or torn between the old page and the new one. If the page cannot
  // be had, the cursor stays as it was and the server will say `reset` again.
  async #startOver() {
    this.#hangUp();
    this.#isResyncing = true;
    this.#become("reconnecting");
    try {
      this.#cursor = await this.#resync();
    } catch (error) {
      console.warn("Engawa: the room could not be read again yet.", error);
    }
    this.#isResyncing = false;
    this.#retryLater();
  }

  /** @param {number} [seconds] when the server wants us back */
  #lost = (seconds = this.#invitedSeconds) => {
    if (performance.now() - this.#openedAt > GOOD_AFTER_MS) this.#backoff.reset();
    this.#openedAt = Infinity;
    this.#invitedSeconds = undefined;
    this.#hangUp();
    this.#become(navigator.onLine ? "reconnecting" : "offline");
    this.#retryLater(seconds);
  };

  // Nothing happens in an archived room; but it may be opened again.
  /** @param {number} seconds */
  #rest(seconds) {
    this.#openedAt = Infinity;
    this.#hangUp();
    this.#become("archived");
    this.#retryLater(seconds);
  }

  #close(why = this.reason) {
    this.reason = why;
    this.#hangUp();
    this.#become("closed");
    removeEventListener("online", this.#online);
    removeEventListener("offline", this.#offline);
    document.removeEventListener("visibilitychange", this.hurry);
    removeEventListener("pagehide", this.#leave);
    removeEventListener("pageshow", this.hurry);
  }

  /** @param {number} [seconds] */
  #retryLater(seconds) {
    clearTimeout(this.#retry);
    this.#isInvited = seconds !== undefined;
    const wait = seconds === undefined ? this.#backoff.next() : 1000 * Math.min(seconds, LONGEST_WAIT_SECONDS);
    this.#retry = setTimeout(this.#open, wait);
  }

  #hangUp = () => {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    clearTimeout(this.#pause);
    this.#resumption = null;
    this.#call?.close();
    this.#call = null;
  };

  /** @param {PageTransitionEvent} event */
  #leave = ({ persisted }) => {
    this.#hangUp();
    if (persisted) this.#become("reconnecting");
  };

  // A call that was being made, or that only listens, cannot be asked whether it is still there.
  #online = () => {
    if (this.state === "offline") this.#become("reconnecting");
    if (document.visibilityState === "hidden" || this.#isInvited) return;
    if (this.state === "connected" && this.#call?.send) this.#probe();
    else this.#open();
  };

  #offline = () => {
    if (this.state === "reconnecting") this.#become("offline");
    this.#probe(OFFLINE_PROBE_SECONDS);
  };

  // "offline" may be false (a server on this very machine needs no network), and a wire may have died while the
  // machine slept: ask, and believe the silence.
  #probe = (seconds = PROBE_SECONDS) => {
    if (this.send({ type: "ping" })) this.#listen(seconds);
  };

  /** @param {number} seconds */
  #expect(seconds) {
    this.#silenceSeconds = seconds;
    this.#listen();
  }

  #listen(seconds = this.#silenceSeconds) {
    clearTimeout(this.#silence);
    if (seconds) this.#silence = setTimeout(() => this.#lost(), seconds * 1000);
  }

  /** @param {State} state */
  #become(state) {
    this.state = state;
    this.#tell("state", state);
  }

  /** @param {string} type @param {string | Frame | RoomEvent | Rights | About | number} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

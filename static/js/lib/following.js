// @ts-check

/** @import { Connection } from "./connection.js" */
/** @import { RoomEvent } from "./types.js" */

// What is said, and what becomes of it.
const OF_MESSAGES = ["message", "message.edited", "message.deleted", "message.redacted", "message.reactions"];
// Beyond, the room is shown as it is then; and so where much became of what is said, as when people react.
const MOST_WAITING = 500;
const MOST_EVENTS = 2000;

/**
 * A connection that one may pause: what is said meanwhile waits. What is shown already goes on to be changed and taken
 * back, and what is taken back before it was shown is never shown.
 *
 * Dispatches the connection's `event`, `presence` and `state`, and `waiting` when other than before waits.
 */
export class Following extends EventTarget {
  isPaused = false;
  #connection;
  #isShown;
  #renew;
  /** @type {RoomEvent[]} */
  #events = [];
  /** @type {Set<string>} */
  #mids = new Set();
  #isFull = false;
  /** What happens while the room is read anew, which may have been read before or after it. @type {RoomEvent[] | null} */
  #meanwhile = null;
  /** @type {unknown} */
  #presence;

  /**
   * @param {Connection} connection
   * @param {(mid: string) => boolean} isShown whether a message is
   * @param {() => Promise<unknown>} renew shows the room as it is now
   */
  constructor(connection, isShown, renew) {
    super();
    this.#connection = connection;
    this.#isShown = isShown;
    this.#renew = renew;
    connection.addEventListener("event", (event) => this.#take(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener("presence", (event) => this.#count(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener("state", () => this.#tell("state", connection.state));
  }

  get state() {
    return this.#connection.state;
  }

  /** How many messages wait; there may be more where there are `isFull`. */
  get waiting() {
    return this.#mids.size;
  }

  get isFull() {
    return this.#isFull && this.#mids.size >= MOST_WAITING;
  }

  pause() {
    this.isPaused = true;
    this.#tell("waiting");
  }

  /** Go on. Rejects, and stays as it is, where the room would have to be read anew and cannot be. */
  async follow() {
    if (this.#meanwhile) return;
    if (this.#isFull) await this.#startOver();
    this.isPaused = false;
    const events = this.#events;
    this.#forget();
    for (const event of events) this.#tell("event", event);
    if (this.#presence) this.#tell("presence", this.#presence);
    this.#presence = undefined;
    this.#tell("waiting");
  }

  /** The room was shown as it is now, by itself: what waited is there. */
  renewed() {
    this.#forget();
    this.#tell("waiting");
  }

  async #startOver() {
    /** @type {RoomEvent[]} */
    const meanwhile = [];
    this.#meanwhile = meanwhile;
    try {
      await this.#renew();
    } finally {
      this.#meanwhile = null;
    }
    this.#forget();
    this.#events = meanwhile;
  }

  /** @param {RoomEvent} event */
  #take(event) {
    const { type, mid } = event;
    this.#meanwhile?.push(event);
    if (!this.isPaused || !OF_MESSAGES.includes(type) || this.#isShown(mid)) return this.#tell("event", event);
    if (type === "message.deleted") {
      this.#mids.delete(mid);
      this.#events = this.#events.filter((waiting) => waiting.mid !== mid);
    } else if ((this.#mids.size >= MOST_WAITING && !this.#mids.has(mid)) || this.#events.length >= MOST_EVENTS) {
      this.#isFull = true;
      this.#events = [];
    } else {
      if (type === "message") this.#mids.add(mid);
      if (!this.#isFull) this.#events.push(event);
    }
    this.#tell("waiting");
  }

  /** @param {unknown} presence */
  #count(presence) {
    if (this.isPaused) this.#presence = presence;
    else this.#tell("presence", presence);
  }

  #forget() {
    this.#events = [];
    this.#mids.clear();
    this.#isFull = false;
  }

  /** @param {string} type @param {unknown} [detail] */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

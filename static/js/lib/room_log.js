// @ts-check

/** @import { Message, RoomEvent } from "./types.js" */

/**
 * What an event means for what is shown: a message to put before another (`before` null: at the end), or to remove.
 * @typedef {{ put: Message, before: string | null } | { remove: string } | null} Change
 */

/**
 * The part of a room that is shown: an unbroken run of messages up to the newest. Knows no page.
 *
 * Applying an event twice changes nothing, so snapshots and streams may overlap.
 */
export class RoomLog {
  /** Whether the room's first message is among those shown. */
  reachesStart = true;
  /** @type {Map<string, Message>} */
  #messages = new Map();
  /** Sorted. @type {string[]} */
  #mids = [];

  /** @param {string} mid */
  get(mid) {
    return this.#messages.get(mid);
  }

  get messages() {
    return this.#mids.map((mid) => /** @type {Message} */ (this.#messages.get(mid)));
  }

  clear() {
    this.#messages.clear();
    this.#mids = [];
  }

  /**
   * @param {Message} message
   * @returns {Change}
   */
  put(message) {
    let place = this.#mids.length;
    while (place > 0 && this.#mids[place - 1] > message.mid) place--;
    const known = this.#mids[place - 1] === message.mid;
    if (!known) this.#mids.splice(place, 0, message.mid);
    this.#messages.set(message.mid, message);
    return { put: message, before: this.#mids[known ? place : place + 1] ?? null };
  }

  /**
   * @param {RoomEvent} event
   * @returns {Change}
   */
  apply(event) {
    switch (event.type) {
      case "message":
      case "message.edited":
        // An edit may be the first we hear of a message, as what was said before is redacted. But one from before the
        // run that is shown would stand there as if nothing had been said between.
        return this.#isBeforeTheRun(event.mid) ? null : this.put(/** @type {Message} */ (event));
      case "message.deleted":
        return this.#remove(event.mid);
      case "message.redacted":
        return this.#blank(event.mid);
      default:
        return null;
    }
  }

  /** @param {string} mid */
  #isBeforeTheRun(mid) {
    return !this.reachesStart && this.#mids.length > 0 && mid < this.#mids[0];
  }

  /** @param {string} mid @returns {Change} */
  #remove(mid) {
    if (!this.#messages.delete(mid)) return null;
    this.#mids.splice(this.#mids.indexOf(mid), 1);
    return { remove: mid };
  }

  // A redacted event stands for words that were taken back; what came of them, an edit or a deletion, follows.
  /** @param {string} mid @returns {Change} */
  #blank(mid) {
    const message = this.#messages.get(mid);
    return message ? this.put({ ...message, message: "", html: "" }) : null;
  }
}

// @ts-check

/** @import { Message, RoomEvent } from "./types.js" */

/**
 * What an event means for what is shown: a message to put before another (`before` null: at the end), or to remove.
 * @typedef {{ put: Message, before: string | null } | { remove: string } | null} Change
 */

/**
 * The part of a room that is shown: an unbroken run of messages. Knows no page.
 *
 * Applying an event twice changes nothing, so snapshots and streams may overlap.
 */
export class RoomLog {
  /** Whether the room's first message is among those shown. */
  reachesStart = true;
  /** Whether nothing came after those shown; only then what comes is added. */
  reachesEnd = true;
  /** @type {Map<string, Message>} */
  #messages = new Map();
  /** Sorted. @type {string[]} */
  #mids = [];
  /** Which of those shown answer a message, be it shown or not. @type {Map<string, Set<string>>} */
  #answers = new Map();

  /** @param {string} mid */
  get(mid) {
    return this.#messages.get(mid);
  }

  /** The replies to a message. @param {string} mid @returns {Iterable<string>} */
  answersTo(mid) {
    return this.#answers.get(mid) ?? [];
  }

  /** Whether a message comes before those that are shown, so that nothing is known of it. @param {string} mid */
  isBefore(mid) {
    return !this.reachesStart && this.#mids.length > 0 && mid < this.#mids[0];
  }

  /** Whether it comes after those that are shown, and something between may be missing. @param {string} mid */
  isAfter(mid) {
    return !this.reachesEnd && (this.#mids.length === 0 || mid > this.#mids[this.#mids.length - 1]);
  }

  get size() {
    return this.#mids.length;
  }

  /** The mid of the message in a place, counted from the oldest. @param {number} place @returns {string | undefined} */
  at(place) {
    return this.#mids.at(place);
  }

  /** What stands before a message, or before where it would stand. @param {string} mid @returns {Message | undefined} */
  previous(mid) {
    const place = this.placeOf(mid);
    return place > 0 ? this.#messages.get(this.#mids[place - 1]) : undefined;
  }

  /** The first that is newer. @param {string} mid @returns {string | undefined} */
  firstAfter(mid) {
    const place = this.placeOf(mid);
    return this.#mids[this.#mids[place] === mid ? place + 1 : place];
  }

  /** Let go of the oldest. @param {number} count @returns {string[]} their mids */
  trimStart(count) {
    if (count <= 0) return [];
    this.reachesStart = false;
    return this.#forget(this.#mids.splice(0, count));
  }

  /** Let go of the newest. @param {number} count @returns {string[]} their mids */
  trimEnd(count) {
    if (count <= 0) return [];
    this.reachesEnd = false;
    return this.#forget(this.#mids.splice(-count, count));
  }

  clear() {
    this.#messages.clear();
    this.#answers.clear();
    this.#mids = [];
    this.reachesStart = this.reachesEnd = true;
  }

  /**
   * @param {Message} message
   * @returns {Change}
   */
  put(message) {
    const { mid, reply_to } = message;
    const place = this.placeOf(mid);
    const isKnown = this.#mids[place] === mid;
    if (!isKnown) this.#mids.splice(place, 0, mid);
    this.#messages.set(mid, message);
    if (reply_to) this.#answers.set(reply_to, (this.#answers.get(reply_to) ?? new Set()).add(mid));
    return { put: message, before: this.#mids[place + 1] ?? null };
  }

  /**
   * @param {RoomEvent} event
   * @returns {Change}
   */
  apply(event) {
    switch (event.type) {
      case "message":
      case "message.edited":
        // An edit may be the first we hear of a message, as what was said before is redacted. But one from outside the
        // run that is shown would stand there as if nothing had been said between.
        return this.isBefore(event.mid) || this.isAfter(event.mid) ? null : this.put(/** @type {Message} */ (event));
      case "message.deleted":
        return this.#remove(event.mid);
      case "message.redacted":
        // A redacted event stands for words that were taken back; what came of them, an edit or a deletion, follows.
        return this.#change(event.mid, { message: "", html: "" });
      case "message.reactions":
        return this.#change(event.mid, { reactions: event.reactions });
      default:
        return null;
    }
  }

  /** Where a message is, or would be. @param {string} mid */
  placeOf(mid) {
    let low = 0;
    let high = this.#mids.length;
    // Most come after all others.
    if (high && this.#mids[high - 1] < mid) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#mids[middle] < mid) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @param {string} mid @returns {Change} */
  #remove(mid) {
    if (!this.#messages.has(mid)) return null;
    this.#forget(this.#mids.splice(this.placeOf(mid), 1));
    return { remove: mid };
  }

  /** @param {string[]} mids */
  #forget(mids) {
    for (const mid of mids) {
      const { reply_to } = this.#messages.get(mid) ?? {};
      this.#messages.delete(mid);
      if (!reply_to) continue;
      const answers = this.#answers.get(reply_to);
      answers?.delete(mid);
      if (!answers?.size) this.#answers.delete(reply_to);
    }
    return mids;
  }

  /** @param {string} mid @param {Partial<Message>} fields @returns {Change} */
  #change(mid, fields) {
    const message = this.#messages.get(mid);
    return message ? this.put({ ...message, ...fields }) : null;
  }
}

// @ts-check
import { newKey } from "./keys.js";

/** @import { Connection } from "./connection.js" */
/** @import { Frame, RoomEvent } from "./types.js" */

/**
 * Asks for edits and deletions, and waits for what becomes of each. `ask` resolves when it is done, and rejects with an
 * Error whose message is a sentence for people. (What is posted goes through the outbox.)
 */
export class Requests {
  #connection;
  /** @type {Map<string, { frame: Frame, resolve: () => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /** @param {Connection} connection */
  constructor(connection) {
    this.#connection = connection;
    connection.addEventListener("answer", (event) => this.#answered(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener("event", (event) => this.#happened(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener("state", () => this.#giveUp());
  }

  /**
   * @param {Frame} frame
   * @returns {Promise<void>}
   */
  ask(frame) {
    const key = newKey();
    if (!this.#connection.send({ ...frame, key })) {
      return Promise.reject(new Error("Not sent: there is no connection just now. Your text is still here."));
    }
    return new Promise((resolve, reject) => this.#waiting.set(key, { frame, resolve, reject }));
  }

  /** @param {Frame} answer */
  #answered(answer) {
    const asked = this.#waiting.get(answer.key);
    if (!asked) return;
    this.#waiting.delete(answer.key);
    asked.reject(new Error(answer.detail));
  }

  /** @param {RoomEvent} event */
  #happened(event) {
    for (const [key, { frame, resolve }] of this.#waiting) {
      const done =
        (frame.type === "edit" && event.type === "message.edited" && event.mid === frame.mid) ||
        (frame.type === "delete" && event.type === "message.deleted" && event.mid === frame.mid);
      if (!done) continue;
      this.#waiting.delete(key);
      resolve();
    }
  }

  #giveUp() {
    if (this.#connection.state === "connected") return;
    for (const { reject } of this.#waiting.values()) {
      reject(new Error("The connection was lost before an answer came. Your text is still here; send it again."));
    }
    this.#waiting.clear();
  }
}

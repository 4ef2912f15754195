// @ts-check
import { newKey } from "./keys.js";
import { gettext } from "./words.js";

/** @import { Connection } from "./connection.js" */
/** @import { Frame } from "./types.js" */

/** Asks without the connection's help. Rejects where no answer came. @typedef {(frame: Frame, me: string) =>
 *   Promise<Frame>} Ask */

/**
 * Asks for all but posting (which goes through the outbox), and waits for the answer. `ask` resolves when it is done,
 * and rejects with an Error whose message is a sentence for people.
 */
export class Requests {
  #connection;
  #otherwise;
  /** @type {Map<string, { resolve: () => void, reject: (error: Error) => void }>} */
  #waiting = new Map();

  /**
   * @param {Connection} connection
   * @param {Ask} otherwise for a connection that only listens
   */
  constructor(connection, otherwise) {
    this.#connection = connection;
    this.#otherwise = otherwise;
    connection.addEventListener("answer", (event) => this.#answered(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener("state", () => this.#giveUp());
  }

  /**
   * @param {Frame} frame
   * @returns {Promise<void>}
   */
  ask(frame) {
    const asked = { ...frame, key: newKey() };
    const { isMakeshift, me, state } = this.#connection;
    if (isMakeshift && state === "connected") return this.#askOtherwise(asked, me);
    if (!this.#connection.send(asked)) {
      return Promise.reject(new Error(gettext("Not sent: there is no connection just now.")));
    }
    return new Promise((resolve, reject) => this.#waiting.set(asked.key, { resolve, reject }));
  }

  /** @param {Frame} frame @param {string} me */
  async #askOtherwise(frame, me) {
    const answer = await this.#otherwise(frame, me).catch(() => {
      throw new Error(gettext("There is no answer from the server. Try again."));
    });
    if (answer.type !== "done") throw new Error(answer.detail);
  }

  /** @param {Frame} answer */
  #answered(answer) {
    const asked = this.#waiting.get(answer.key);
    if (!asked) return;
    this.#waiting.delete(answer.key);
    if (answer.type === "done") asked.resolve();
    else asked.reject(new Error(answer.detail));
  }

  #giveUp() {
    if (this.#connection.state === "connected") return;
    for (const { reject } of this.#waiting.values()) {
      reject(new Error(gettext("The connection was lost before an answer came. Try again.")));
    }
    this.#waiting.clear();
  }
}

// @ts-check

const FIRST_MS = 500;
const LONGEST_MS = 20_000;

/**
 * How long to wait before the next attempt. Full jitter: after a restart of the server thousands come back at once,
 * and any delay that they share only moves the rush.
 */
export class Backoff {
  #attempts = 0;
  #random;

  /** @param {() => number} random from 0 up to 1 */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** @returns {number} milliseconds */
  next() {
    return this.#random() * Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#attempts++);
  }

  reset() {
    this.#attempts = 0;
  }
}

// @ts-check

/**
 * Something that is fetched when it is first wanted, and kept. Where it cannot be had it is tried anew the next time.
 * @template T
 */
export class Lazy {
  /** What was fetched, as soon as it is there. @type {T | undefined} */
  here;
  #fetch;
  /** @type {Promise<T> | undefined} */
  #wanted;

  /** @param {() => Promise<T>} fetch */
  constructor(fetch) {
    this.#fetch = fetch;
  }

  /** @returns {Promise<T>} */
  get() {
    this.#wanted ??= this.#fetch().then(
      (it) => (this.here = it),
      (error) => {
        this.#wanted = undefined;
        throw error;
      },
    );
    return this.#wanted;
  }

  /** Have it soon. */
  want = () => {
    this.get().catch(() => {});
  };
}

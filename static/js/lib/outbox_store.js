// @ts-check
import { keep, keptNames, readKept } from "./kept.js";

/** @import { Outgoing } from "./types.js" */

const place = () => localStorage;

/**
 * What one person has written in one room and the server has not answered yet, shared by all their tabs. It outlives
 * them. Each message is an item of its own in the browser's storage, so that tabs that write at once overwrite nothing
 * of each other's.
 */
export class OutboxStore {
  #prefix;
  /** @type {Map<string, Outgoing>} */
  #messages = new Map();

  /**
   * @param {string} room
   * @param {string} me
   * @param {(key: string) => void} onChange another tab wrote or removed this one
   */
  constructor(room, me, onChange) {
    this.#prefix = `engawa:outbox:${room}:${me}:`;
    for (const name of keptNames(place, this.#prefix)) this.#read(name, readKept(place, name));
    addEventListener("storage", ({ key: name, newValue, storageArea }) => {
      if (!name?.startsWith(this.#prefix) || storageArea !== place()) return;
      this.#read(name, newValue);
      onChange(name.slice(this.#prefix.length));
    });
  }

  /** In the order of writing. */
  get messages() {
    return [...this.#messages.values()].sort((one, other) => one.at - other.at);
  }

  /** @param {string} key */
  get(key) {
    return this.#messages.get(key);
  }

  /** @param {Outgoing} message */
  put(message) {
    this.#messages.set(message.key, message);
    keep(place, this.#prefix + message.key, JSON.stringify(message));
  }

  /** @param {string} key */
  remove(key) {
    this.#messages.delete(key);
    keep(place, this.#prefix + key, "");
  }

  /** @param {string} name @param {string | null} value */
  #read(name, value) {
    const key = name.slice(this.#prefix.length);
    const message = value === null ? null : parse(value);
    if (message?.key === key) this.#messages.set(key, message);
    else this.#messages.delete(key);
  }
}

/** @param {string} value @returns {Outgoing | null} */
function parse(value) {
  try {
    const message = JSON.parse(value);
    return typeof message?.message === "string" && Number.isFinite(message.at) ? message : null;
  } catch {
    return null;
  }
}

// @ts-check
import { keep, readKept } from "./kept.js";

const place = () => localStorage;
const MOST_MESSAGES = 300;

/**
 * Which reactions are one's own: the log only counts them. Kept in this browser, for the messages one last reacted to.
 */
export class MyReactions {
  #name;
  /** @type {Map<string, Set<string>>} */
  #mine;

  /** @param {string} room @param {string} me */
  constructor(room, me) {
    this.#name = `engawa:reactions:${room}:${me}`;
    this.#mine = parse(readKept(place, this.#name) ?? "[]");
  }

  /** @param {string} mid @param {string} reaction */
  has(mid, reaction) {
    return this.#mine.get(mid)?.has(reaction) ?? false;
  }

  /** @param {string} mid @param {string} reaction @param {boolean} isThere */
  set(mid, reaction, isThere) {
    const mine = this.#mine.get(mid) ?? new Set();
    if (isThere) mine.add(reaction);
    else mine.delete(reaction);
    this.#mine.delete(mid);
    if (mine.size) this.#mine.set(mid, mine);
    const kept = [...this.#mine].slice(-MOST_MESSAGES).map(([of, reactions]) => [of, ...reactions]);
    keep(place, this.#name, kept.length ? JSON.stringify(kept) : "");
  }
}

/** @param {string} text @returns {Map<string, Set<string>>} */
function parse(text) {
  try {
    /** @type {string[][]} */
    const kept = JSON.parse(text);
    return new Map(kept.map(([mid, ...reactions]) => [mid, new Set(reactions)]));
  } catch {
    return new Map();
  }
}

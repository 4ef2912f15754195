// @ts-check
import { keep, readKept } from "./kept.js";

// What a tab left behind for so long is not what anybody is about to say.
const OLD_MS = 7 * 24 * 3600 * 1000;

const ofThisTab = () => sessionStorage;
const ofTheBrowser = () => localStorage;

/**
 * What is written and not sent, as one person in one room. It is this tab's alone, for two tabs are two trains of
 * thought, and outlives a reload. Where the page is left, it is put where the next tab of this room finds it: the first
 * that has nothing of its own takes it from there.
 */
export class Draft {
  #name;
  #text = "";

  /** @param {string} room @param {string} me */
  constructor(room, me) {
    this.#name = `engawa:draft:${room}:${me}`;
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", () => this.#takeBack());
  }

  /** What was kept, which is ours from now on. */
  take() {
    const left = this.#left();
    this.#text = readKept(ofThisTab, this.#name) ?? left;
    this.keep(this.#text);
    this.#takeBack();
    return this.#text;
  }

  /** @param {string} text */
  keep(text) {
    this.#text = text;
    keep(ofThisTab, this.#name, text);
  }

  #leave() {
    if (this.#text) keep(ofTheBrowser, this.#name, JSON.stringify({ text: this.#text, at: Date.now() }));
  }

  #takeBack() {
    if (this.#left() === this.#text) keep(ofTheBrowser, this.#name, "");
  }

  #left() {
    try {
      const { text, at } = JSON.parse(readKept(ofTheBrowser, this.#name) ?? "{}");
      return typeof text === "string" && Date.now() - at < OLD_MS ? text : "";
    } catch {
      return "";
    }
  }
}

// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { keep, readKept } from "../lib/kept.js";
import { languageOf } from "../lib/language_of.js";
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { Message } from "../lib/types.js" */

const KEPT_AS = "engawa:announces";
// What is said faster than that is said together; and the first of it as soon as it is a moment old.
const EVERY_MS = 3000;
const FIRST_MS = 300;
const MOST_READ = 3;
const MOST_CHARS = 200;
// Whoever goes through the page by hand later need not come upon it again.
const STAYS_MS = 10_000;

const place = () => localStorage;

/**
 * Tells a screen reader what is said, apart from the log, which would read out its history: a few messages at most, and
 * how many there were beside. One's own are not echoed, and it can be turned off.
 */
export class Announcer {
  #region = byId("announcer");
  #button = byId("announces");
  #isMine;
  /** The newest that are not told yet. @type {Message[]} */
  #waiting = [];
  #more = 0;
  #toldAt = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #due;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #clearing;

  /**
   * @param {EventTarget} list which dispatches `arrived` with a message, `withdrawn` with a mid, and `renewed`
   * @param {(message: Message) => boolean} [isMine]
   */
  constructor(list, isMine = () => false) {
    this.#isMine = isMine;
    this.#button.hidden = false;
    this.#isOn = readKept(place, KEPT_AS) !== "off";
    this.#button.addEventListener("click", () => this.#turn());
    list.addEventListener("arrived", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    list.addEventListener("withdrawn", (event) => this.#forget(/** @type {CustomEvent} */ (event).detail));
    list.addEventListener("renewed", () => this.#forgetAll());
    document.addEventListener("visibilitychange", () => this.#wait());
  }

  get #isOn() {
    return this.#button.getAttribute("aria-pressed") === "true";
  }

  set #isOn(isOn) {
    this.#button.setAttribute("aria-pressed", String(isOn));
  }

  #turn() {
    this.#isOn = !this.#isOn;
    keep(place, KEPT_AS, this.#isOn ? "" : "off");
    this.#forgetAll();
  }

  // Nobody told what became of it since.
  #forgetAll() {
    this.#waiting = [];
    this.#more = 0;
    this.#region.replaceChildren();
  }

  /** @param {Message} message */
  #hear(message) {
    if (!this.#isOn || this.#isMine(message)) return;
    this.#waiting.push(message);
    if (this.#waiting.length > MOST_READ) {
      this.#waiting.shift();
      this.#more += 1;
    }
    this.#wait();
  }

  // Nobody hears a page that is not looked at: it tells once it is.
  #wait() {
    if (this.#due || document.hidden || !this.#waiting.length) return;
    const wait = Math.max(FIRST_MS, this.#toldAt + EVERY_MS - performance.now());
    this.#due = setTimeout(() => {
      this.#due = undefined;
      this.#tell();
    }, wait);
  }

  #tell() {
    if (!this.#waiting.length || document.hidden) return;
    const lines = this.#waiting.map(lineOf);
    if (this.#more) lines.unshift(countOf(this.#more));
    this.#waiting = [];
    this.#more = 0;
    this.#toldAt = performance.now();
    this.#region.replaceChildren(...lines);
    clearTimeout(this.#clearing);
    this.#clearing = setTimeout(() => this.#region.replaceChildren(), STAYS_MS);
  }

  /** What was said in it no longer stands. @param {string} mid */
  #forget(mid) {
    this.#waiting = this.#waiting.filter((message) => message.mid !== mid);
    this.#region.querySelector(`[data-mid="${CSS.escape(mid)}"]`)?.remove();
  }
}

/** @param {Message} message */
function lineOf({ mid, author, message }) {
  const line = document.createElement("p");
  const language = languageOf(message);
  if (language !== null) line.lang = language;
  line.dataset.mid = mid;
  line.textContent = interpolate(gettext("%(name)s: %(text)s"), { name: author.name, text: excerpt(message, MOST_CHARS) });
  return line;
}

/** @param {number} count */
function countOf(count) {
  const line = document.createElement("p");
  const words = ngettext("%(count)s more message", "%(count)s more messages", count);
  line.textContent = interpolate(words, { count: inDigits(count) });
  return line;
}

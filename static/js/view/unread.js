// @ts-check
import { keep, readKept } from "../lib/kept.js";
import { gettext } from "../lib/words.js";
import { findItem } from "./message_item.js";

// Who is at the end for so long has seen what is there; and so much later they know where they had stopped.
const SEEN_AFTER_MS = 2000;
const LINE_STAYS_MS = 6000;

const place = () => localStorage;

/**
 * Up to where the reader has read: what was at the end while they were there and the page was visible. What came since
 * stands below a line, on entry and where one comes back to the page, until it has been read.
 *
 * Dispatches `seen` with a mid, at most once in two seconds.
 */
export class Unread extends EventTarget {
  #name;
  #state;
  #seen;
  /** After which message the line stands: what was seen when it was drawn. @type {string | null} */
  #after = null;
  #isRead = false;
  /** The message above which it stands now. */
  #shownAt = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #seeing;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #fading;

  /**
   * @param {string} name under which this browser keeps it; empty: nowhere
   * @param {() => { newest: string, isAtEnd: boolean }} state what is the newest of the room, and whether it is in view
   * @param {() => void} changed the line is to be elsewhere, or gone
   */
  constructor(name, state, changed) {
    super();
    this.#name = name;
    this.#state = state;
    this.changed = changed;
    this.#seen = (name && readKept(place, name)) || "";
    if (this.#seen && state().newest > this.#seen) this.#after = this.#seen;
    document.addEventListener("visibilitychange", () => this.#turned());
    this.look();
  }

  /** Something came, or the reader moved. */
  look() {
    const { newest, isAtEnd } = this.#state();
    const isSeen = isAtEnd && !document.hidden;
    if (!isSeen) {
      clearTimeout(this.#seeing);
      this.#seeing = undefined;
    } else if (newest > this.#seen || (this.#after !== null && !this.#isRead)) {
      this.#seeing ??= setTimeout(() => this.#see(), SEEN_AFTER_MS);
    }
    if (document.hidden && this.#after === null && this.#seen && newest > this.#seen) {
      this.#after = this.#seen;
      this.changed();
    }
  }

  /** Put the line where it belongs. @param {(mid: string) => string | undefined} firstAfter */
  show(firstAfter) {
    const mid = (this.#after !== null && firstAfter(this.#after)) || "";
    if (mid === this.#shownAt && (!mid || findItem(mid)?.querySelector(".message__new"))) return;
    if (this.#shownAt) findItem(this.#shownAt)?.querySelector(".message__new")?.remove();
    this.#shownAt = mid;
    if (!mid) return;
    const line = document.createElement("p");
    line.className = "message__new";
    line.textContent = gettext("New");
    const item = findItem(mid);
    const heading = item?.querySelector(".message__day");
    if (heading) heading.after(line);
    else item?.prepend(line);
  }

  #see() {
    this.#seeing = undefined;
    const { newest } = this.#state();
    if (newest > this.#seen) {
      this.#seen = newest;
      if (this.#name) keep(place, this.#name, newest);
      this.dispatchEvent(new CustomEvent("seen", { detail: newest }));
    }
    if (this.#after === null || this.#isRead) return;
    this.#isRead = true;
    this.#fading = setTimeout(() => this.#end(), LINE_STAYS_MS);
  }

  // Nobody looks: what was read may go, and what comes now will be new.
  #turned() {
    if (document.hidden && this.#isRead) this.#end();
    this.look();
  }

  #end() {
    clearTimeout(this.#fading);
    this.#after = null;
    this.#isRead = false;
    this.changed();
  }
}

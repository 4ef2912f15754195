// @ts-check
import { byId } from "./page.js";

// Nearer to the end than this is "at the end": a fraction of a pixel, or half a line, is nobody's intention.
const NEAR_END_PX = 40;
// Whoever moves the mouse over the log or touches it is about to do something with what is there.
const AIMING_MS = 2500;

/**
 * Where the log is read. Follows the newest message as long as the reader is there, and otherwise leaves what is being
 * read where it is. Also stands still while somebody does something with a message.
 */
export class Scroller {
  element = byId("scroller");
  #newest = byId("newest");
  #follows = true;
  #top = 0;
  #height = 0;
  #isDue = false;
  /** What it stands still for. @type {Set<unknown>} */
  #holds = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #aiming;
  #pointer = "";

  constructor() {
    const { element } = this;
    element.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    element.addEventListener("pointermove", (event) => this.#aimed(event), { passive: true });
    element.addEventListener("pointerdown", (event) => this.#aimed(event), { passive: true });
    element.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.release("pointer"));
    // Keys move among messages; a click that happens to give one the focus does not stay there.
    element.addEventListener("focusin", ({ target }) => {
      if (target instanceof HTMLElement && target !== element && target.matches(":focus-visible")) this.hold("focus");
    });
    element.addEventListener("focusout", ({ relatedTarget }) => {
      if (!element.contains(/** @type {Node | null} */ (relatedTarget))) this.release("focus");
    });
    // A keyboard that opens, a window that is turned: who was at the end stays there.
    const resized = new ResizeObserver(() => this.#isFollowing && this.toEnd());
    resized.observe(element);
    // What is on its way stands below the log, where the page has a place for it.
    const outgoing = document.getElementById("outgoing");
    if (outgoing) resized.observe(outgoing);
    this.#newest.addEventListener("click", () => this.follow());
  }

  get #isFollowing() {
    return this.#follows && !this.#holds.size;
  }

  /** Go to the newest message and stay with what comes. */
  follow() {
    this.#holds.clear();
    this.#follows = true;
    this.#newest.hidden = true;
    this.toEnd();
  }

  /** The reader goes elsewhere. */
  leaveEnd() {
    this.#follows = false;
  }

  /** Stand still until it is released. @param {unknown} why */
  hold(why) {
    this.#holds.add(why);
  }

  /** @param {unknown} why */
  release(why) {
    if (why === "pointer") clearTimeout(this.#aiming);
    if (!this.#holds.delete(why) || !this.#isFollowing) return;
    this.#newest.hidden = true;
    this.#catchUp();
  }

  /** Something was added, at the end or elsewhere. */
  grown(isAtEnd = true) {
    if (this.#isFollowing) this.#catchUp();
    else if (isAtEnd) this.#newest.hidden = false;
  }

  /** What is read stays where it is while something is put before it. @param {() => void} grow */
  growingUpwards(grow) {
    const toEnd = this.element.scrollHeight - this.element.scrollTop;
    grow();
    this.element.scrollTop = this.element.scrollHeight - toEnd;
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }

  // Once a frame, however many messages come in it.
  #catchUp() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      if (this.#isFollowing) this.toEnd();
    });
  }

  /** @param {PointerEvent} event */
  #aimed({ clientX, clientY, type }) {
    // What moves away under a mouse that rests looks like a move of the mouse.
    const pointer = `${clientX} ${clientY}`;
    if (type === "pointermove" && pointer === this.#pointer) return;
    this.#pointer = pointer;
    this.hold("pointer");
    clearTimeout(this.#aiming);
    this.#aiming = setTimeout(() => this.release("pointer"), AIMING_MS);
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    // Only who goes up leaves the end: it may also move away by itself, before we are told that we got there. And where
    // messages went, what is above them moved by itself.
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#follows = true;
    else if (scrollTop < this.#top && scrollHeight >= this.#height) this.#follows = false;
    this.#top = scrollTop;
    this.#height = scrollHeight;
    if (this.#isFollowing) this.#newest.hidden = true;
  }
}

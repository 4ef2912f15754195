// @ts-check
import { makeRoomForKeyboard } from "./keyboard.js";
import { byId } from "./page.js";
import { topmost } from "./topmost.js";

// Nearer to the end than this is "at the end": a fraction of a pixel, or half a line, is nobody's intention.
const NEAR_END_PX = 40;
// Whoever moves the mouse over the log or touches it is about to do something with what is there.
const AIMING_MS = 2500;
// What no browser shows: positions are multiples of this.
const LEAST_PX = 1 / 64;

/**
 * Where the log is read. Follows the newest message as long as the reader is there, and otherwise leaves what is being
 * read exactly where it is: it remembers what stands at the top and how far down, and puts it back there after whatever
 * changed. Also stands still while somebody does something with a message.
 */
export class Scroller {
  element = byId("scroller");
  #items = byId("log");
  #goToLatest;
  #moved;
  #reachesEnd = true;
  #follows = true;
  #top = 0;
  #height = 0;
  /** What is at the top, how far below the edge. @type {{ element: Element, id: string, offset: number } | null} */
  #anchor = null;
  // Browsers scroll by whole pixels of the screen, and lines are as high as they are: the list takes up the rest.
  #nudge = 0;
  /** What it stands still for. @type {Set<unknown>} */
  #holds = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #aiming;
  #pointer = "";
  #resized = new ResizeObserver(() => this.settle());

  /**
   * @param {{ goToLatest(): void, moved(): void }} on `goToLatest`: where the end is not here; `moved`: the reader may
   *   have come to the end, or left it
   */
  constructor({ goToLatest, moved }) {
    const { element } = this;
    this.#goToLatest = goToLatest;
    this.#moved = moved;
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
    makeRoomForKeyboard();
    // A keyboard that opens, a window that is turned, an image that comes, and below the log what is on its way.
    this.watch(element);
    for (const child of element.children) if (child !== this.#items) this.watch(child);
  }

  /** Whether the reader is at the room's end, and stays there. */
  get isFollowing() {
    return this.#follows && this.#reachesEnd && !this.#holds.size;
  }

  /** Whether the end of what is here is more than what one sees away. */
  get isFar() {
    const { scrollHeight, scrollTop, clientHeight } = this.element;
    return scrollHeight - scrollTop > 2 * clientHeight;
  }

  /** What stands at the top of what is seen. @returns {Element | null} */
  get topmost() {
    return this.#anchor?.element ?? null;
  }

  /** Whether what is here ends where the room does; elsewhere there is nothing to stay with. */
  set reachesEnd(reaches) {
    this.#reachesEnd = reaches;
    if (!reaches) this.#follows = false;
  }

  /** Correct for whatever becomes larger or smaller. @param {Element} element */
  watch(element) {
    this.#resized.observe(element);
  }

  /** @param {Element} element */
  unwatch(element) {
    this.#resized.unobserve(element);
  }

  /** Go to the newest message and stay with what comes. */
  follow() {
    if (!this.#reachesEnd) return this.#goToLatest();
    this.#holds.clear();
    this.#follows = true;
    this.#toEnd();
    this.#moved();
  }

  /** The reader goes elsewhere. */
  leaveEnd() {
    this.#follows = false;
    this.#remember();
    this.#moved();
  }

  /** Stand still until it is released. @param {unknown} why */
  hold(why) {
    if (this.isFollowing) this.#remember();
    this.#holds.add(why);
  }

  /** @param {unknown} why */
  release(why) {
    if (why === "pointer") clearTimeout(this.#aiming);
    if (!this.#holds.delete(why) || !this.isFollowing) return;
    this.#toEnd();
    this.#moved();
  }

  /** Change what is in the log; what is read stays where it is. @param {() => void} change */
  keep(change) {
    if (this.element.scrollTop !== this.#top) this.#scrolled();
    const seen = this.isFollowing ? [] : this.#seen();
    change();
    // Where what stood at the top is gone, what stood below it counts.
    const anchor = this.#anchor;
    if (anchor && !this.#find(anchor)) this.#anchor = seen.find((each) => this.#find(each)) ?? null;
    this.settle();
    if (!this.isFollowing && !this.#anchor) this.#remember();
  }

  /** Be where the reader was, whatever has changed. */
  settle() {
    if (this.isFollowing) this.#toEnd();
    else this.#restore();
  }

  #toEnd() {
    const { element } = this;
    this.#anchor = null;
    element.scrollTop = element.scrollHeight;
    this.#top = element.scrollTop;
    this.#height = element.scrollHeight;
  }

  #restore() {
    const { element } = this;
    const anchor = this.#anchor;
    const found = anchor && this.#find(anchor);
    if (!found) return;
    anchor.element = found;
    const moved = this.#offsetOf(found) - anchor.offset;
    this.#height = element.scrollHeight;
    if (Math.abs(moved) < LEAST_PX) return;
    const wanted = element.scrollTop + moved - this.#nudge;
    element.scrollTop = Math.ceil(wanted);
    this.#top = element.scrollTop;
    const rest = this.#top - wanted;
    // More than that is what cannot be had: nothing more is above, or below.
    this.#nudge = Math.abs(rest) <= 1 ? rest : 0;
    this.#items.style.setProperty("--nudge", `${this.#nudge}px`);
  }

  #remember() {
    const element = topmost(this.element, this.#items);
    this.#anchor = element && { element, id: element.id, offset: this.#offsetOf(element) };
  }

  /** The messages that are seen, where they are. */
  #seen() {
    const first = this.#anchor?.element.closest("#log > li");
    const found = [];
    for (let item = first; item && this.#offsetOf(item) < this.element.clientHeight; item = item.nextElementSibling) {
      found.push({ element: item, id: item.id, offset: this.#offsetOf(item) });
    }
    return found;
  }

  /** It, or what has come in its place. @param {{ element: Element, id: string }} anchor @returns {Element | null} */
  #find({ element, id }) {
    return element.isConnected ? element : id ? document.getElementById(id) : null;
  }

  /** @param {Element} element */
  #offsetOf(element) {
    return element.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
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
    // We did that, and remember why.
    if (scrollTop === this.#top) return;
    // Only who goes up leaves the end: it may also move away by itself, before we are told that we got there. And where
    // messages went, what is above them moved by itself.
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#follows = this.#reachesEnd;
    else if (scrollTop < this.#top && scrollHeight >= this.#height) this.#follows = false;
    this.#top = scrollTop;
    this.#height = scrollHeight;
    if (!this.isFollowing) this.#remember();
    this.#moved();
  }
}

// @ts-check
import { RoomLog } from "../lib/room_log.js";
import { fillItem, findItem, localiseTime, readItem } from "./message_item.js";
import { byId, cloneTemplate, fetchPage } from "./page.js";

/** @import { Message, RoomEvent } from "../lib/types.js" */
/** @import { Change } from "../lib/room_log.js" */

// Nearer to the end than this is "at the end": a fraction of a pixel, or half a line, is nobody's intention.
const NEAR_END_PX = 40;
const RELOAD_MS = 20_000;

/**
 * The list that the server rendered, kept up to date. Follows the newest message as long as the reader is there, and
 * otherwise leaves what is being read where it is.
 */
export class MessageList {
  #log = new RoomLog();
  #items = byId("log");
  #scroller = byId("scroller");
  #earlier = byId("earlier");
  #newest = byId("newest");
  #following = true;
  #top = 0;
  /** @type {AbortController | null} */
  #loading = null;
  /** Events since the loading of earlier messages began, which may concern them. @type {RoomEvent[]} */
  #meanwhile = [];
  #onItem;
  #topWatcher;

  /** @param {(item: HTMLElement, message: Message) => void} onItem called for every item when it is shown */
  constructor(onItem = () => {}) {
    this.#onItem = onItem;
    this.#adopt(document);
    this.#scrollToEnd();

    this.#scroller.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    // A keyboard that opens, a window that is turned: who was at the end stays there.
    const resized = new ResizeObserver(() => this.#following && this.#scrollToEnd());
    resized.observe(this.#scroller);
    // What is on its way stands below the log, where the page has a place for it.
    const outgoing = document.getElementById("outgoing");
    if (outgoing) resized.observe(outgoing);
    this.#newest.addEventListener("click", () => this.follow());
    this.#earlier.addEventListener("click", (event) => {
      event.preventDefault();
      this.#loadEarlier();
    });
    this.#topWatcher = new IntersectionObserver(
      ([{ isIntersecting }]) => isIntersecting && this.#loadEarlier(),
      { root: this.#scroller },
    );
    this.#topWatcher.observe(this.#earlier);
  }

  /** @param {string} mid */
  get(mid) {
    return this.#log.get(mid);
  }

  /** @param {RoomEvent} event */
  apply(event) {
    if (this.#loading) this.#meanwhile.push(event);
    this.#show(this.#log.apply(event));
  }

  /** Go to the newest message and stay with what comes. */
  follow() {
    this.#following = true;
    this.#newest.hidden = true;
    this.#scrollToEnd();
  }

  /** Show the room as it is now. @returns {Promise<number>} the number in the log at which that was read */
  async reload() {
    const page = await fetchPage(location.pathname, AbortSignal.timeout(RELOAD_MS));
    this.#loading?.abort();
    this.#log.clear();
    this.#items.replaceChildren();
    this.#adopt(page);
    this.#following ? this.#scrollToEnd() : (this.#newest.hidden = false);
    return Number(page.getElementById("log")?.dataset.cursor);
  }

  async #loadEarlier() {
    const link = this.#earlier.querySelector("a");
    if (this.#loading || !link) return;
    const { signal } = (this.#loading = new AbortController());
    try {
      const page = await fetchPage(link.href, signal);
      signal.throwIfAborted();
      const toEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
      this.#adopt(page);
      this.#meanwhile.forEach((event) => this.#show(this.#log.apply(event)));
      this.#scroller.scrollTop = this.#scroller.scrollHeight - toEnd;
      // Observing anew asks again, in case the top is still in view.
      this.#topWatcher.unobserve(this.#earlier);
      this.#topWatcher.observe(this.#earlier);
    } catch (error) {
      // The link is still there to try again.
      if (!signal.aborted) console.warn("Engawa: earlier messages could not be loaded.", error);
    } finally {
      this.#loading = null;
      this.#meanwhile = [];
    }
  }

  /**
   * Take a page's messages, which come before all that are here, and its link to still earlier ones.
   * @param {Document} page
   */
  #adopt(page) {
    const items = [.../** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("#log > li"))];
    const unknown = items.filter((item) => !this.#log.get(item.dataset.mid ?? ""));
    this.#items.prepend(...unknown);
    for (const item of unknown) {
      const message = readItem(item);
      this.#log.put(message);
      localiseTime(item);
      this.#onItem(item, message);
    }
    const earlier = page.getElementById("earlier");
    if (earlier && earlier !== this.#earlier) this.#earlier.replaceChildren(...earlier.childNodes);
    this.#log.reachesStart = !this.#earlier.querySelector("a");
  }

  /** @param {Change} change */
  #show(change) {
    if (!change) return;
    if ("remove" in change) return this.#remove(change.remove);
    const { put: message, before } = change;
    const shown = findItem(message.mid);
    const item = shown ?? cloneTemplate("message-template");
    fillItem(item, message);
    if (!shown) this.#items.insertBefore(item, before ? findItem(before) : null);
    this.#onItem(item, message);
    if (this.#following) requestAnimationFrame(() => this.#following && this.#scrollToEnd());
    else if (!shown && !before) this.#newest.hidden = false;
  }

  /** @param {string} mid */
  #remove(mid) {
    const item = findItem(mid);
    // Focus would fall back to the top of the page.
    if (item?.contains(document.activeElement)) this.#scroller.focus({ preventScroll: true });
    item?.remove();
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    // Only who goes up leaves the end: it may also move away by itself, before we are told that we got there.
    if (scrollHeight - scrollTop - clientHeight < NEAR_END_PX) this.#following = true;
    else if (scrollTop < this.#top) this.#following = false;
    this.#top = scrollTop;
    if (this.#following) this.#newest.hidden = true;
  }

  #scrollToEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { RoomLog } from "../lib/room_log.js";
import { fillAnswered, fillItem, findItem, localiseTime, readItem } from "./message_item.js";
import { byId, cloneTemplate, fetchPage, ownPage } from "./page.js";
import { Scroller } from "./scroller.js";

/** @import { Message, RoomEvent } from "../lib/types.js" */
/** @import { Change } from "../lib/room_log.js" */

const RELOAD_MS = 20_000;
// How many pages back a link is followed.
const MOST_PAGES = 40;

/** What the page told other programs when it came also says what was deleted since. */
function forgetHead() {
  const told = "script[type='application/ld+json'], meta[name=description], meta[property='og:description']";
  for (const element of document.head.querySelectorAll(told)) element.remove();
}

/**
 * What others do with each item: when it is `shown`, anew or changed, and when it is `leaving`.
 * @typedef {{ shown?(item: HTMLElement, message: Message): void, leaving?(item: HTMLElement): void }} Watcher
 */

/** The list that the server rendered, kept up to date. */
export class MessageList {
  scroller = new Scroller();
  #log = new RoomLog();
  #items = byId("log");
  #earlier = byId("earlier");
  /** @type {AbortController | null} */
  #loading = null;
  #loaded = Promise.resolve(false);
  /** Events since the loading of earlier messages began, which may concern them. @type {RoomEvent[]} */
  #meanwhile = [];
  #watcher;
  #topWatcher;

  /** @param {Watcher} watcher */
  constructor(watcher = {}) {
    this.#watcher = watcher;
    this.#adopt(document);
    this.scroller.toEnd();

    this.#earlier.addEventListener("click", (event) => {
      event.preventDefault();
      this.#loadEarlier();
    });
    this.#topWatcher = new IntersectionObserver(
      ([{ isIntersecting }]) => isIntersecting && this.#loadEarlier(),
      { root: this.scroller.element },
    );
    this.#topWatcher.observe(this.#earlier);
    document.addEventListener("click", (event) => this.#followLink(event));
    const named = /** @type {HTMLElement | null} */ (this.#items.querySelector("[aria-current]"))?.dataset.mid;
    if (location.hash.startsWith("#m-")) this.reveal(location.hash.slice("#m-".length));
    else if (named) this.reveal(named);
  }

  /** @param {string} mid */
  get(mid) {
    return this.#log.get(mid);
  }

  /** @param {RoomEvent} event */
  apply(event) {
    if (this.#loading) this.#meanwhile.push(event);
    if (event.type === "message.deleted" || event.type === "message.edited") forgetHead();
    const was = this.#log.get(event.mid);
    this.#show(this.#log.apply(event), was);
  }

  /** Tell the watcher of every item there is. */
  showAll() {
    for (const item of /** @type {HTMLCollectionOf<HTMLElement>} */ (this.#items.children)) {
      const message = this.#log.get(item.dataset.mid ?? "");
      if (message) this.#watcher.shown?.(item, message);
    }
  }

  /** Show the room as it is now. @returns {Promise<Document>} the page where that was read */
  async reload() {
    const page = await fetchPage(ownPage(), AbortSignal.timeout(RELOAD_MS));
    this.#loading?.abort();
    this.#log.clear();
    forgetHead();
    this.#items.replaceChildren();
    this.#adopt(page);
    this.scroller.grown();
    return page;
  }

  /** Bring a message into view, if it can be had. @param {string} mid @returns {Promise<HTMLElement | null>} */
  async reveal(mid) {
    for (let pages = 0; pages < MOST_PAGES && !this.#log.get(mid) && this.#log.isBefore(mid); pages++) {
      if (!(await this.#loadEarlier())) break;
    }
    const item = findItem(mid);
    if (item) {
      this.scroller.leaveEnd();
      item.scrollIntoView({ block: "center" });
      item.focus({ preventScroll: true });
      for (const before of this.#items.querySelectorAll(".message--revealed, [aria-current]")) {
        if (before === item) continue;
        before.classList.remove("message--revealed");
        before.removeAttribute("aria-current");
      }
      item.classList.add("message--revealed");
    }
    return item;
  }

  /** @returns {Promise<boolean>} whether there were any */
  #loadEarlier() {
    const link = this.#earlier.querySelector("a");
    if (!this.#loading && link) this.#loaded = this.#load(link.href);
    return link ? this.#loaded : Promise.resolve(false);
  }

  /** @param {string} url */
  async #load(url) {
    const { signal } = (this.#loading = new AbortController());
    try {
      const page = await fetchPage(url, signal);
      signal.throwIfAborted();
      this.scroller.growingUpwards(() => {
        this.#adopt(page);
        for (const event of this.#meanwhile) this.#show(this.#log.apply(event));
      });
      // Observing anew asks again, in case the top is still in view.
      this.#topWatcher.unobserve(this.#earlier);
      this.#topWatcher.observe(this.#earlier);
      return true;
    } catch (error) {
      // The link is still there to try again.
      if (!signal.aborted) console.warn("Engawa: earlier messages could not be loaded.", error);
      return false;
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
    const messages = unknown.map(readItem);
    for (const message of messages) this.#log.put(message);
    const earlier = page.getElementById("earlier");
    if (earlier && earlier !== this.#earlier) this.#earlier.replaceChildren(...earlier.childNodes);
    this.#log.reachesStart = !this.#earlier.querySelector("a");
    unknown.forEach((item, place) => {
      localiseTime(item);
      this.#watcher.shown?.(item, messages[place]);
      this.#refreshAnswers(messages[place].mid);
    });
  }

  /** @param {Change} change @param {Message} [was] what was shown before */
  #show(change, was) {
    if (!change) return;
    if ("remove" in change) return this.#remove(change.remove);
    const { put: message, before } = change;
    const shown = findItem(message.mid);
    const item = shown ?? cloneTemplate("message-template");
    fillItem(item, message, shown ? was : undefined);
    if (!was && message.reply_to) this.#showAnswered(item, message.reply_to);
    if (!shown) this.#items.insertBefore(item, before ? findItem(before) : null);
    this.#watcher.shown?.(item, message);
    if (was?.message !== message.message) this.#refreshAnswers(message.mid);
    this.scroller.grown(!shown && !before);
  }

  /** @param {string} mid */
  #remove(mid) {
    const item = findItem(mid);
    if (item) this.#watcher.leaving?.(item);
    // Focus would fall back to the top of the page.
    if (item?.contains(document.activeElement)) this.scroller.element.focus({ preventScroll: true });
    item?.remove();
    this.#refreshAnswers(mid);
  }

  /** What replies show of the message that they answer. @param {string} mid */
  #refreshAnswers(mid) {
    for (const reply of this.#log.answersTo(mid)) {
      const item = findItem(reply);
      if (item) this.#showAnswered(item, mid);
    }
  }

  /** @param {HTMLElement} item @param {string} mid */
  #showAnswered(item, mid) {
    const answered = this.#log.get(mid);
    if (answered) fillAnswered(item, answered.author.name, excerpt(answered.message));
    else fillAnswered(item, "", this.#log.isBefore(mid) ? "an earlier message" : "a deleted message");
  }

  /** @param {MouseEvent} event */
  #followLink(event) {
    const link = /** @type {Element} */ (event.target).closest?.("a");
    const mid = link?.getAttribute("href")?.match(/^#m-(.+)$/)?.[1];
    if (!mid || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.reveal(mid);
  }
}

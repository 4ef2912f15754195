// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { RoomLog } from "../lib/room_log.js";
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { arrange, renameAtMidnight } from "./days.js";
import { fillAnswered, fillItem, findItem, localiseTime, readItem } from "./message_item.js";
import { byId, cloneTemplate, fetchPage, ownPage, permalink } from "./page.js";
import { Pager } from "./pager.js";
import { Scroller } from "./scroller.js";
import { Unread } from "./unread.js";

/** @import { Message, RoomEvent } from "../lib/types.js" */
/** @import { Side } from "./pager.js" */

// Who stays at the end has so many messages above; the oldest go in one go, so that they go seldom.
const MOST_AT_END = 300;
const KEPT_AT_END = 250;
// Who reads elsewhere has more, so that what is going on still comes in below for a while.
const MOST_ELSEWHERE = 600;
const KEPT_AROUND = 250;
// Nothing is painted in a page that nobody looks at, but what is deleted goes there as well.
const HIDDEN_MS = 500;
const TAKEN_BACK = new Set(["message.deleted", "message.edited", "message.redacted"]);
/** What one works with: it stays, whatever comes. */
const IN_USE = ":focus-visible, .message--editing, [aria-expanded=true]";

/** What the page told other programs when it came also says what was deleted since. */
function forgetHead() {
  const told = "script[type='application/ld+json'], meta[name=description], meta[property='og:description']";
  for (const element of document.head.querySelectorAll(told)) element.remove();
}

/**
 * What others do with each item: when it is `shown`, anew or changed, and when it is `leaving`.
 * @typedef {{ shown?(item: HTMLElement, message: Message): void, leaving?(item: HTMLElement): void }} Watcher
 */

/**
 * The list that the server rendered, kept up to date: what happens goes into the log at once, and is shown once a frame,
 * however much it is.
 *
 * Dispatches `arrived` with a message that was just said, `withdrawn` with the mid of one whose words no longer stand,
 * `renewed` with the page as which all was read anew, without telling what became of what was here, and `seen` with the mid
 * up to which the reader has read, at most every other second.
 */
export class MessageList extends EventTarget {
  scroller;
  #log = new RoomLog();
  #items = byId("log");
  #button = byId("newest");
  /** Whether what happens in the room comes here. */
  #isLive = Boolean(byId("room").dataset.streamUrl);
  /** As what each message is shown. @type {Map<string, Message>} */
  #shown = new Map();
  /** What is not shown yet as it is. @type {Set<string>} */
  #changed = new Set();
  #isDue = false;
  /** The last message that we know of, shown or not. */
  #newest = "";
  /** What came while the reader was elsewhere. @type {Set<string>} */
  #missed = new Set();
  /** Events since the loading of a page began, which may concern it. @type {Set<RoomEvent[]>} */
  #meanwhile = new Set();
  #watcher;
  #pager;
  #unread;

  /** @param {Watcher} watcher */
  constructor(watcher = {}) {
    super();
    this.#watcher = watcher;
    this.scroller = new Scroller({ goToLatest: () => this.#goToLatest(), moved: () => this.#moved() });
    this.#pager = new Pager(this.scroller.element, (side, page) => this.#take(page, side), (load) => this.#during(load));
    this.#adopt(document, "all");
    this.scroller.settle();
    const state = () => ({ newest: this.#newest, isAtEnd: this.scroller.isFollowing && this.#isLive });
    this.#unread = new Unread(this.#keptAs, state, () => this.scroller.keep(() => this.#showLine()));
    this.#unread.addEventListener("seen", ({ detail }) => this.#tell("seen", detail));
    this.scroller.keep(() => this.#showLine());
    renameAtMidnight(this.#items);
    this.#button.addEventListener("click", () => {
      if (document.activeElement === this.#button) this.scroller.element.focus({ preventScroll: true });
      this.scroller.follow();
    });
    document.addEventListener("click", (event) => this.#followLink(event));
    // The frame that was asked for does not come before somebody looks again.
    document.addEventListener("visibilitychange", () => document.hidden && this.#isDue && this.#show());
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
    for (const events of this.#meanwhile) events.push(event);
    if (event.type === "message.deleted" || event.type === "message.edited") forgetHead();
    if (this.#log.apply(event)) this.#changed.add(event.mid);
    if (event.type === "message" && event.mid > this.#newest) {
      this.#newest = event.mid;
      if (!this.scroller.isFollowing) this.#missed.add(event.mid);
      this.#tell("arrived", event);
    }
    if (event.type === "message.deleted") this.#missed.delete(event.mid);
    if (TAKEN_BACK.has(event.type)) this.#tell("withdrawn", event.mid);
    this.#showSoon();
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
    const page = await fetchPage(ownPage());
    this.#pager.abort();
    forgetHead();
    this.#take(page, "all");
    this.#tell("renewed", page);
    return page;
  }

  /** Bring a message into view, if it can be had. @param {string} mid @returns {Promise<HTMLElement | null>} */
  async reveal(mid) {
    this.#show();
    if (!this.#log.get(mid) && !(await this.#loadAround(mid))) return null;
    const item = findItem(mid);
    if (!item) return null;
    item.scrollIntoView({ block: "center" });
    item.focus({ preventScroll: true });
    this.scroller.leaveEnd();
    for (const before of this.#items.querySelectorAll(".message--revealed, [aria-current]")) {
      if (before === item) continue;
      before.classList.remove("message--revealed");
      before.removeAttribute("aria-current");
    }
    item.classList.add("message--revealed");
    return item;
  }

  /** Who watches without being of the room leaves no trace, not even in their own browser. */
  get #keptAs() {
    const { socketPath, slug } = byId("room").dataset;
    return socketPath ? `engawa:seen:${slug}` : "";
  }

  /** @param {string} mid */
  async #loadAround(mid) {
    try {
      return await this.#during(async (signal) => {
        const page = await fetchPage(permalink(mid), signal);
        signal.throwIfAborted();
        if (!page.getElementById(`m-${mid}`)) return false;
        this.scroller.leaveEnd();
        this.#take(page, "all");
        return this.#log.get(mid) !== undefined;
      });
    } catch (error) {
      console.info("Engawa: that message could not be loaded.", error);
      return false;
    }
  }

  async #goToLatest() {
    // What somebody is writing there would be lost.
    const editor = /** @type {HTMLElement | null} */ (this.#items.querySelector(".message--editing textarea"));
    if (editor) return editor.focus();
    try {
      await this.#during(async (signal) => {
        const page = await fetchPage(ownPage(), signal);
        signal.throwIfAborted();
        this.#take(page, "all");
        this.scroller.follow();
      });
    } catch (error) {
      console.info("Engawa: the newest messages could not be loaded.", error);
    }
  }

  /** @template T @param {(signal: AbortSignal) => Promise<T>} load @returns {Promise<T>} */
  async #during(load) {
    const events = /** @type {RoomEvent[]} */ ([]);
    this.#meanwhile.add(events);
    try {
      return await load(this.#pager.restart());
    } finally {
      this.#meanwhile.delete(events);
    }
  }

  /** Show a page of the room, and what happened since it was asked for. @param {Document} page @param {Side} side */
  #take(page, side) {
    this.scroller.keep(() => {
      if (side === "all") this.#clear();
      this.#adopt(page, side);
      for (const events of this.#meanwhile) {
        for (const event of events) if (this.#log.apply(event)) this.#changed.add(event.mid);
      }
      this.#letGo();
      this.#render();
    });
    this.#forgetMissed();
    this.#moved();
  }

  /** What is not where it would be is gone, and nobody told us. */
  #forgetMissed() {
    const log = this.#log;
    for (const mid of this.#missed) {
      if (!log.get(mid) && !log.isBefore(mid) && !log.isAfter(mid)) this.#missed.delete(mid);
    }
  }

  #clear() {
    for (const item of [...this.#items.children]) this.#drop(/** @type {HTMLElement} */ (item));
    this.#log.clear();
    this.#shown.clear();
    this.#changed.clear();
  }

  /** Take the messages of a page, which come before all that are here, or after. @param {Document} page @param {Side} side */
  #adopt(page, side) {
    const log = this.#log;
    const [first = "", last = ""] = [log.at(0), log.at(-1)];
    const items = [.../** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll("#log > li"))].filter(({ dataset }) => {
      const { mid = "" } = dataset;
      return !log.get(mid) && (side === "before" ? !first || mid < first : side !== "after" || mid > last);
    });
    const messages = items.map(readItem);
    for (const message of messages) {
      log.put(message);
      this.#shown.set(message.mid, message);
      if (message.mid > this.#newest) this.#newest = message.mid;
    }
    if (page !== document && side === "before") this.#items.prepend(...items);
    else if (page !== document) this.#items.append(...items);
    if (side !== "after") log.reachesStart = !Pager.hasMore(page, "before");
    if (side !== "before") log.reachesEnd = !Pager.hasMore(page, "after");
    items.forEach((item, place) => {
      localiseTime(item);
      this.scroller.watch(item);
      this.#watcher.shown?.(item, messages[place]);
    });
    this.#arrange(messages.map(({ mid }) => mid));
    for (const { mid } of messages) this.#refreshAnswers(mid);
    this.#tidy();
  }

  // Once a frame, however many messages come in it.
  #showSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    if (document.hidden) setTimeout(() => this.#show(), HIDDEN_MS);
    else requestAnimationFrame(() => this.#isDue && this.#show());
  }

  #show() {
    this.#isDue = false;
    if (this.#changed.size) {
      this.scroller.keep(() => {
        this.#letGo();
        this.#render();
      });
    }
    this.#moved();
  }

  /** Make the items of what has changed what they are to be. */
  #render() {
    /** @type {string[]} */
    const added = [];
    const changed = [...this.#changed];
    /** @type {string[]} */
    const answered = [];
    this.#changed.clear();
    for (const mid of changed) {
      const message = this.#log.get(mid);
      const was = this.#shown.get(mid);
      if (!message && was) {
        const item = findItem(mid);
        if (item) this.#drop(item);
        answered.push(mid);
      } else if (message && !was) {
        added.push(mid);
      } else if (message && was && message !== was) {
        const item = /** @type {HTMLElement} */ (findItem(mid));
        fillItem(item, message, was, this.#items.dataset.language);
        this.#watcher.shown?.(item, message);
        if (was.message !== message.message || was.author.name !== message.author.name) answered.push(mid);
      }
      if (message) this.#shown.set(mid, message);
      else this.#shown.delete(mid);
    }
    // From the newest: what one stands before is there already.
    for (const mid of added.sort().reverse()) {
      const message = /** @type {Message} */ (this.#log.get(mid));
      const next = this.#log.firstAfter(mid);
      const item = cloneTemplate("message-template");
      fillItem(item, message, undefined, this.#items.dataset.language);
      if (message.reply_to) this.#showAnswered(item, message.reply_to);
      this.#items.insertBefore(item, next ? findItem(next) : null);
      this.scroller.watch(item);
    }
    this.#arrange(changed);
    for (const mid of added.reverse()) {
      this.#watcher.shown?.(/** @type {HTMLElement} */ (findItem(mid)), /** @type {Message} */ (this.#log.get(mid)));
    }
    for (const mid of [...added, ...answered]) this.#refreshAnswers(mid);
    this.#tidy();
  }

  /** What a message is to the one before it, where either of them has changed. @param {string[]} mids */
  #arrange(mids) {
    const touched = new Set(mids);
    for (const mid of mids) touched.add(this.#log.firstAfter(mid) ?? "");
    for (const mid of touched) {
      const message = this.#log.get(mid);
      const item = message && findItem(mid);
      if (item) arrange(item, message, this.#log.previous(mid));
    }
  }

  /** Keep no more than one can want to scroll through. What is in use stays. */
  #letGo() {
    const log = this.#log;
    const { scroller } = this;
    if (scroller.isFollowing) {
      if (log.size > MOST_AT_END) this.#forgotten(log.trimStart(this.#free(log.size - KEPT_AT_END, "start")));
    } else if (log.size > MOST_ELSEWHERE) {
      const mid = scroller.topmost?.closest("li")?.dataset.mid ?? log.at(-1) ?? "";
      const place = log.placeOf(mid);
      if (this.#pager.canLoad) this.#forgotten(log.trimEnd(this.#free(log.size - place - KEPT_AROUND, "end")));
      this.#forgotten(log.trimStart(this.#free(place - KEPT_AROUND, "start")));
    }
    // Something in use keeps the rest: then what comes waits until one goes there.
    if (log.size > MOST_ELSEWHERE && this.#pager.canLoad) {
      let unseen = 0;
      while (unseen < log.size - MOST_ELSEWHERE && !this.#shown.has(log.at(-1 - unseen) ?? "")) unseen++;
      this.#forgotten(log.trimEnd(unseen));
      log.reachesEnd = false;
    }
  }

  /**
   * How many of so many messages at an end are not in use, up to the first that is.
   * @param {number} count
   * @param {"start" | "end"} end
   */
  #free(count, end) {
    let free = Math.max(0, count);
    for (const element of this.#items.querySelectorAll(IN_USE)) {
      const item = /** @type {HTMLElement | null} */ (element.closest("#log > li"));
      const place = this.#log.placeOf(item?.dataset.mid ?? "");
      free = Math.min(free, end === "start" ? place : this.#log.size - 1 - place);
    }
    return Math.max(0, free);
  }

  /** @param {string[]} mids */
  #forgotten(mids) {
    for (const mid of mids) this.#changed.add(mid);
  }

  /** @param {HTMLElement} item */
  #drop(item) {
    this.#watcher.leaving?.(item);
    this.scroller.unwatch(item);
    // Focus would fall back to the top of the page.
    if (item.contains(document.activeElement)) this.scroller.element.focus({ preventScroll: true });
    item.remove();
  }

  /** What follows from which messages are here. */
  #tidy() {
    const log = this.#log;
    const first = this.#items.firstElementChild;
    if (first) this.#arrange([log.at(0) ?? ""]);
    this.#pager.show("before", log.reachesStart ? null : (log.at(0) ?? ""));
    this.#pager.show("after", log.reachesEnd ? null : (log.at(-1) ?? ""));
    this.scroller.reachesEnd = log.reachesEnd;
    this.#showLine();
  }

  #showLine() {
    this.#unread?.show((mid) => this.#log.firstAfter(mid));
  }

  /** The reader is at the end, or elsewhere; or something came. */
  #moved() {
    const { scroller } = this;
    if (scroller.isFollowing) this.#missed.clear();
    const count = this.#missed.size;
    this.#unread?.look();
    this.#button.hidden = !this.#isLive || scroller.isFollowing || !(count || !this.#log.reachesEnd || scroller.isFar);
    if (this.#button.hidden) return;
    const words = count
      ? interpolate(ngettext("Jump to latest · %(count)s new", "Jump to latest · %(count)s new", count), { count: inDigits(count) })
      : gettext("Jump to latest");
    if (this.#button.textContent !== words) this.#button.textContent = words;
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
    else fillAnswered(item, "", this.#log.isBefore(mid) ? gettext("an earlier message") : gettext("a deleted message"));
  }

  /** @param {MouseEvent} event */
  async #followLink(event) {
    const link = /** @type {HTMLAnchorElement | null} */ (/** @type {Element} */ (event.target).closest?.("a"));
    const isOfMessage = link?.matches(".message__reply, .pinned__link");
    const mid = isOfMessage ? link?.dataset.mid : link?.getAttribute("href")?.match(/^#m-(.+)$/)?.[1];
    if (!link || !mid || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    // Where it leads may know what became of it.
    if (!(await this.reveal(mid)) && isOfMessage) location.assign(link.href);
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { RoomLog } from "../lib/room_log.js";
import { gettext } from "../lib/words.js";
import { arrange, renameAtMidnight } from "./days.js";
import { fillAnswered, fillItem, findItem, localiseTime, readItem } from "./message_item.js";

/** @import { RoomEvent } from "../lib/types.js" */

const NEAR_END_PX = 40;
const MOST_ITEMS = 500;
// While somebody reads further up: then what they read stays, as long as it can.
const MOST_ELSEWHERE = 1000;

/** A room among several on a page: the messages that the server rendered, kept up to date. */
export class Pane {
  #log = new RoomLog();
  #title;
  #items;
  #scroller;

  /** @param {HTMLElement} section */
  constructor(section) {
    this.section = section;
    this.#title = part(section, ".pane__title bdi");
    this.#items = part(section, ".log__messages");
    this.#scroller = part(section, ".pane__scroller");
    this.#adopt();
    renameAtMidnight(this.#items);
    this.#items.addEventListener("click", (event) => this.#followReply(event));
  }

  get slug() {
    return this.section.dataset.slug ?? "";
  }

  get cursor() {
    return Number(this.section.dataset.cursor);
  }

  /** @param {RoomEvent} event */
  apply(event) {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    const isAtEnd = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    const was = this.#log.get(event.mid);
    const change = this.#log.apply(event);
    if (event.title !== undefined) this.#title.textContent = event.title;
    if (event.language !== undefined) this.#items.dataset.language = event.language;
    if (!change) return;
    if ("remove" in change) {
      findItem(change.remove)?.remove();
      this.#showAnswers(change.remove);
    } else {
      const { put: message, before } = change;
      const shown = findItem(message.mid);
      const item = shown ?? this.#blank();
      fillItem(item, message, shown ? was : undefined, this.#items.dataset.language);
      if (!shown) this.#items.insertBefore(item, before ? findItem(before) : null);
      if (message.reply_to) this.#showAnswered(message.mid, message.reply_to);
      this.#showAnswers(message.mid);
    }
    this.#arrange(event.mid);
    if (isAtEnd) {
      this.#forgetOldest();
      this.#toEnd();
    } else if (this.#log.size > MOST_ELSEWHERE) {
      this.#forgetOldest();
    }
  }

  /** Show the room as another copy of this page has it. @param {HTMLElement} section */
  renew(section) {
    const items = part(section, ".log__messages");
    const earlier = section.querySelector(".log__earlier");
    this.#log.clear();
    this.#title.textContent = part(section, ".pane__title bdi").textContent;
    this.#scroller.querySelector(".log__earlier")?.remove();
    if (earlier) this.#scroller.prepend(earlier);
    this.#items.dataset.language = items.dataset.language;
    this.#items.replaceChildren(...items.childNodes);
    this.section.dataset.cursor = section.dataset.cursor;
    this.#adopt();
  }

  /** Nothing more comes of this room, and what was said here is not for us any more. */
  close() {
    this.#log.clear();
    this.#items.replaceChildren();
    this.#scroller.hidden = true;
    const gone = part(this.section, ".pane__gone");
    gone.textContent = gettext("This room is no longer open to you.");
    gone.hidden = false;
  }

  #adopt() {
    this.#log.reachesStart = !this.#scroller.querySelector(".log__earlier");
    for (const item of /** @type {NodeListOf<HTMLElement>} */ (this.#items.querySelectorAll(".message"))) {
      this.#log.put(readItem(item));
      localiseTime(item);
      this.#arrange(item.dataset.mid ?? "");
    }
    this.#toEnd();
  }

  /** What it and the next are to those before them. @param {string} mid */
  #arrange(mid) {
    for (const touched of [mid, this.#log.firstAfter(mid) ?? ""]) {
      const message = this.#log.get(touched);
      const item = message && findItem(touched);
      if (item) arrange(item, message, this.#log.previous(touched));
    }
  }

  // What is answered may be here; its own page has it in any case.
  /** @param {MouseEvent} event */
  #followReply(event) {
    const link = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".message__reply"));
    const item = link && findItem(link.dataset.mid ?? "");
    if (!item || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    item.scrollIntoView({ block: "center" });
  }

  #blank() {
    const template = /** @type {HTMLTemplateElement} */ (this.section.querySelector("template"));
    return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  }

  /** @param {string} mid */
  #showAnswers(mid) {
    for (const reply of this.#log.answersTo(mid)) this.#showAnswered(reply, mid);
  }

  /** @param {string} reply @param {string} mid */
  #showAnswered(reply, mid) {
    const item = findItem(reply);
    const answered = this.#log.get(mid);
    if (!item) return;
    if (answered) fillAnswered(item, answered.author.name, excerpt(answered.message));
    else fillAnswered(item, "", this.#log.isBefore(mid) ? gettext("an earlier message") : gettext("a deleted message"));
  }

  // The room's own page has all of them.
  #forgetOldest() {
    for (const mid of this.#log.trimStart(this.#log.size - MOST_ITEMS)) findItem(mid)?.remove();
    this.#arrange(this.#log.at(0) ?? "");
  }

  #toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
  }
}

/** What our template promises to have. @param {HTMLElement} section @param {string} selector */
const part = (section, selector) => /** @type {HTMLElement} */ (section.querySelector(selector));

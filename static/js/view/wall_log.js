// @ts-check
import { RoomLog } from "../lib/room_log.js";
import { excerpt } from "../lib/excerpt.js";
import { gettext } from "../lib/words.js";
import { fillAnswered, fillItem, findItem, localiseTime, readItem } from "./message_item.js";
import { byId, cloneTemplate } from "./page.js";

/** @import { RoomEvent } from "../lib/types.js" */

// More than fit on any screen: what is deleted leaves room for one before.
const MOST_ITEMS = 30;

/** The last messages of a room, as many as fit: the list that the server rendered, kept up to date. */
export class WallLog {
  #log = new RoomLog();
  #box = byId("scroller");
  #items = byId("log");
  #isDue = false;

  constructor() {
    this.#adopt();
    new ResizeObserver(() => this.#fit()).observe(this.#box);
    document.fonts.ready.then(() => this.#fit());
  }

  /** @param {string} mid */
  get(mid) {
    return this.#log.get(mid);
  }

  /** @param {RoomEvent} event */
  apply(event) {
    const was = this.#log.get(event.mid);
    const change = this.#log.apply(event);
    if (!change) return;
    if ("remove" in change) {
      findItem(change.remove)?.remove();
      this.#refreshAnswers(change.remove);
    } else {
      const { put: message, before } = change;
      const shown = findItem(message.mid);
      const item = shown ?? cloneTemplate("message-template");
      fillItem(item, message, shown ? was : undefined, this.#items.dataset.language);
      if (message.reply_to) this.#showAnswered(item, message.reply_to);
      if (!shown) this.#items.insertBefore(item, before ? findItem(before) : null);
      item.classList.toggle("message--new", !shown && !before);
      this.#refreshAnswers(message.mid);
      this.#forgetOldest();
    }
    this.#fitSoon();
  }

  /** Show the room as another copy of this page has it. @param {Document} page */
  renew(page) {
    const items = page.getElementById("log")?.childNodes ?? [];
    this.#log.clear();
    this.#items.replaceChildren(...items);
    this.#adopt();
    this.#fit();
  }

  /** Another day has come, and what was said "today" was not. */
  retell() {
    for (const item of /** @type {Iterable<HTMLElement>} */ (this.#items.querySelectorAll(".message"))) localiseTime(item);
  }

  #adopt() {
    for (const item of /** @type {Iterable<HTMLElement>} */ (this.#items.querySelectorAll(".message"))) {
      this.#log.put(readItem(item));
      localiseTime(item);
    }
    this.#log.reachesStart = false;
  }

  #forgetOldest() {
    while (this.#items.childElementCount > MOST_ITEMS) {
      const oldest = /** @type {HTMLElement} */ (this.#items.firstElementChild);
      this.#log.apply(/** @type {any} */ ({ type: "message.deleted", mid: oldest.dataset.mid }));
      oldest.remove();
    }
  }

  // Once a frame, however many messages come in it.
  #fitSoon() {
    if (this.#isDue) return;
    this.#isDue = true;
    requestAnimationFrame(() => {
      this.#isDue = false;
      this.#fit();
    });
  }

  /** Hide, from the oldest on, what does not fit. The newest is there always. */
  #fit() {
    const items = [.../** @type {NodeListOf<HTMLElement>} */ (this.#items.querySelectorAll(":scope > li"))];
    for (const item of items) item.hidden = false;
    const end = this.#items.getBoundingClientRect().bottom;
    const space = this.#box.clientHeight;
    const isOver = items.map((item) => end - item.getBoundingClientRect().top > space);
    const isCut = items.map((item) => {
      const body = item.querySelector(".message__body");
      return Boolean(body && body.scrollHeight > body.clientHeight + 1);
    });
    items.forEach((item, place) => {
      item.hidden = isOver[place] && place < items.length - 1;
      item.toggleAttribute("data-is-cut", isCut[place]);
    });
  }

  /** @param {string} mid */
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
}

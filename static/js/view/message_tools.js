// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { Menu } from "./menu.js";
import { MessageKeys } from "./message_keys.js";
import { byId, cloneTemplate } from "./page.js";

/** @import { MyReactions } from "../lib/my_reactions.js" */
/** @import { Message } from "../lib/types.js" */
/** @import { MessageActions } from "./message_actions.js" */

/**
 * What stands beside a message to do something with it: a button for its menu, and its reactions.
 */
export class MessageTools {
  keys;
  #menu;
  #actions;
  #mine;
  #isMine;
  #get;

  /**
   * @param {MessageActions} actions
   * @param {MyReactions} mine
   * @param {(message: Message) => boolean} isMine
   * @param {(mid: string) => Message | undefined} get
   * @param {{ hold(why: unknown): void, release(why: unknown): void }} scroller
   */
  constructor(actions, mine, isMine, get, scroller) {
    this.#actions = actions;
    this.#mine = mine;
    this.#isMine = isMine;
    this.#get = get;
    this.#menu = new Menu(() => scroller.hold("menu"), () => scroller.release("menu"));
    this.keys = new MessageKeys((item, key) => this.#pressed(item, key));
    byId("log").addEventListener("click", (event) => this.#clicked(/** @type {Element} */ (event.target)));
  }

  /** @param {HTMLElement} item @param {Message} message */
  shown(item, message) {
    item.classList.toggle("message--mine", this.#isMine(message));
    if (!item.querySelector(".message__more")) item.append(cloneTemplate("message-tools"));
    const button = /** @type {HTMLElement} */ (item.querySelector(".message__more"));
    if (this.#menu.isOf(button)) this.#menu.title = titleOf(message);
    for (const chip of item.querySelectorAll("span.chip")) chip.replaceWith(this.#chip(chip, message.mid));
    this.keys.shown(item);
  }

  /** @param {HTMLElement} item */
  leaving(item) {
    item.dispatchEvent(new Event("leaving"));
    const button = /** @type {HTMLElement} */ (item.querySelector(".message__more"));
    if (button && this.#menu.isOf(button)) {
      this.#menu.close(false);
      item.focus({ preventScroll: true });
    }
    this.keys.leaving(item);
  }

  /** What one may do has changed. */
  renew() {
    this.#menu.close();
  }

  /** @param {Element} chip @param {string} mid */
  #chip(chip, mid) {
    const { reaction = "" } = /** @type {HTMLElement} */ (chip.parentElement).dataset;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "chip";
    button.tabIndex = -1;
    button.setAttribute("aria-pressed", String(this.#mine.has(mid, reaction)));
    button.textContent = chip.textContent;
    return button;
  }

  /** @param {Element} target */
  #clicked(target) {
    const item = /** @type {HTMLElement | null} */ (target.closest("li.message"));
    const message = item && this.#get(item.dataset.mid ?? "");
    if (!item || !message) return;
    const button = /** @type {HTMLElement | null} */ (target.closest(".message__more"));
    const chip = target.closest("button.chip");
    if (button && this.#menu.isOf(button)) this.#menu.close();
    else if (button) this.#open(item, message, button);
    else if (chip) this.#actions.toggle(message, /** @type {HTMLElement} */ (chip.parentElement).dataset.reaction ?? "");
  }

  /** @param {HTMLElement} item @param {string} key */
  #pressed(item, key) {
    const message = this.#get(item.dataset.mid ?? "");
    if (!message) return false;
    if (key !== "Enter" && key !== "+") return this.#actions.press(message, key);
    this.#open(item, message, item);
    return true;
  }

  /** @param {HTMLElement} item @param {Message} message @param {HTMLElement} back */
  #open(item, message, back) {
    const button = /** @type {HTMLElement} */ (item.querySelector(".message__more"));
    this.#menu.open(button, titleOf(message), this.#actions.menu(message), back);
  }
}

/** @param {Message} message */
const titleOf = ({ author, message }) => `${author.name}: ${excerpt(message)}`;

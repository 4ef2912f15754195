// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { complainOfFetching } from "./feedback.js";
import { MessageKeys } from "./message_keys.js";
import { byId, cloneTemplate } from "./page.js";

/** @import { Lazy } from "../lib/lazy.js" */
/** @import { MyReactions } from "../lib/my_reactions.js" */
/** @import { Message } from "../lib/types.js" */
/** @import { Acting } from "./acting.js" */
/** @import { Menu } from "./menu.js" */
/** @import { MessageActions } from "./message_actions.js" */

// What may mean something on a message, as far as can be told before all is here.
const LETTER = /^[a-z!?]$/;

/**
 * What stands beside a message to do something with it: a button for its menu, and its reactions.
 */
export class MessageTools {
  keys;
  #acting;
  #mine;
  #isMine;
  #get;

  /**
   * @param {Lazy<Acting>} acting
   * @param {MyReactions} mine
   * @param {(message: Message) => boolean} isMine
   * @param {(mid: string) => Message | undefined} get
   */
  constructor(acting, mine, isMine, get) {
    this.#acting = acting;
    this.#mine = mine;
    this.#isMine = isMine;
    this.#get = get;
    this.keys = new MessageKeys((item, key) => this.#pressed(item, key));
    // Whoever comes near may be about to do something with a message.
    for (const near of ["pointerover", "focusin"]) byId("room").addEventListener(near, acting.want, { once: true });
    byId("log").addEventListener("click", (event) => this.#clicked(/** @type {Element} */ (event.target)));
  }

  /** @param {HTMLElement} item @param {Message} message */
  shown(item, message) {
    item.classList.toggle("message--mine", this.#isMine(message));
    if (!item.querySelector(".message__more")) item.append(cloneTemplate("message-tools"));
    const button = /** @type {HTMLElement} */ (item.querySelector(".message__more"));
    if (this.#menu?.isOf(button)) this.#menu.title = titleOf(message);
    for (const chip of item.querySelectorAll("span.chip")) chip.replaceWith(this.#chip(chip, message.mid));
    this.keys.shown(item);
  }

  /** @param {HTMLElement} item */
  leaving(item) {
    item.dispatchEvent(new Event("leaving"));
    const button = /** @type {HTMLElement} */ (item.querySelector(".message__more"));
    if (button && this.#menu?.isOf(button)) {
      this.#menu.close(false);
      item.focus({ preventScroll: true });
    }
    this.keys.leaving(item);
  }

  /** What one may do has changed. */
  renew() {
    this.#menu?.close();
  }

  get #menu() {
    return this.#acting.here?.menu;
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
    const { reaction = "" } = /** @type {HTMLElement | null} */ (chip?.parentElement)?.dataset ?? {};
    if (button && this.#menu?.isOf(button)) this.#menu.close();
    else if (button) this.#act(({ menu, actions }) => open(menu, actions, item, message, button));
    else if (chip) this.#act(({ actions }) => actions.toggle(message, reaction));
  }

  /** @param {HTMLElement} item @param {string} key */
  #pressed(item, key) {
    const message = this.#get(item.dataset.mid ?? "");
    if (!message) return false;
    const opens = key === "Enter" || key === "+";
    const { here } = this.#acting;
    if (here && !opens) return here.actions.press(message, key);
    if (!opens && !LETTER.test(key)) return false;
    this.#act(({ menu, actions }) => {
      if (opens) open(menu, actions, item, message, item);
      else actions.press(message, key);
    });
    return true;
  }

  // At once where all is here, so that nothing happens out of turn.
  /** @param {(acting: Acting) => void} act */
  #act(act) {
    const { here } = this.#acting;
    if (here) act(here);
    else this.#acting.get().then(act, complainOfFetching);
  }
}

/**
 * @param {Menu} menu
 * @param {MessageActions} actions
 * @param {HTMLElement} item
 * @param {Message} message
 * @param {HTMLElement} back
 */
function open(menu, actions, item, message, back) {
  const button = /** @type {HTMLElement | null} */ (item.querySelector(".message__more"));
  // It may be gone by the time that this can be shown.
  if (item.isConnected && button) menu.open(button, titleOf(message), actions.menu(message), back);
}

/** @param {Message} message */
const titleOf = ({ author, message }) => `${author.name}: ${excerpt(message)}`;

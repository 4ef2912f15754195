// @ts-check
import { byId } from "./page.js";

/**
 * Moves the focus among messages by keys: one of them is a stop for Tab, with the links in it, and arrow keys go on from
 * there. Where the one that has the focus goes, its neighbour gets it.
 */
export class MessageKeys {
  #list = byId("log");
  /** @type {HTMLElement | null} */
  #stop = null;
  #isBereft = false;

  /** @param {(item: HTMLElement, key: string) => boolean} press a letter on a message: whether it meant anything */
  constructor(press) {
    // The messages are where Tab stops now.
    byId("scroller").tabIndex = -1;
    this.#list.addEventListener("focusin", ({ target }) => {
      const item = /** @type {HTMLElement} */ (target).closest("li.message");
      if (item) this.#stopAt(/** @type {HTMLElement} */ (item));
    });
    this.#list.addEventListener("keydown", (event) => {
      const item = /** @type {HTMLElement} */ (event.target);
      if (item.parentElement !== this.#list || event.ctrlKey || event.metaKey || event.altKey) return;
      const isMove = this.#move(item, event.key);
      if (isMove || press(item, event.key)) event.preventDefault();
    });
  }

  /** @param {HTMLElement} item */
  shown(item) {
    if (!item.hasAttribute("tabindex")) item.tabIndex = -1;
    reach(item, item === this.#stop);
    // The newest, as long as nobody is among them.
    const isLast = item === this.#list.lastElementChild;
    if (!this.#stop || (isLast && !this.#list.contains(document.activeElement))) this.#stopAt(item);
  }

  /** @param {HTMLElement} item */
  leaving(item) {
    const hadFocus = item.contains(document.activeElement);
    if (item === this.#stop) {
      this.#stop = null;
      const next = item.nextElementSibling ?? item.previousElementSibling;
      if (next) this.#stopAt(/** @type {HTMLElement} */ (next));
    }
    if (hadFocus) this.#beBereft();
  }

  /** To where one was among the messages, or to what stands there now. */
  focus() {
    if (this.#stop) this.#stop.focus();
    else byId("composer-text").focus();
  }

  focusLast() {
    /** @type {HTMLElement | null} */ (this.#list.lastElementChild)?.focus();
  }

  // Many may go at once: the focus goes once, to one that stays.
  #beBereft() {
    if (this.#isBereft) return;
    this.#isBereft = true;
    requestAnimationFrame(() => {
      this.#isBereft = false;
      const { activeElement } = document;
      if (activeElement === document.body || activeElement === byId("scroller")) this.focus();
    });
  }

  /** @param {HTMLElement} item @param {string} key */
  #move(item, key) {
    /** @param {Element | null} to */
    const go = (to) => {
      /** @type {HTMLElement | null} */ (to)?.focus();
      return true;
    };
    switch (key) {
      case "ArrowUp":
        return go(item.previousElementSibling);
      case "ArrowDown":
        return item.nextElementSibling ? go(item.nextElementSibling) : go(byId("composer-text"));
      case "Home":
        return go(this.#list.firstElementChild);
      case "End":
        return go(this.#list.lastElementChild);
      case "Escape":
        return go(byId("composer-text"));
      default:
        return false;
    }
  }

  /** @param {HTMLElement} item */
  #stopAt(item) {
    if (this.#stop === item) return;
    if (this.#stop) {
      this.#stop.tabIndex = -1;
      reach(this.#stop, false);
    }
    item.tabIndex = 0;
    reach(item, true);
    this.#stop = item;
  }
}

/** Whether Tab comes to the links in a message. @param {HTMLElement} item @param {boolean} isReached */
function reach(item, isReached) {
  for (const link of item.querySelectorAll("a")) link.tabIndex = isReached ? 0 : -1;
}

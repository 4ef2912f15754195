// @ts-check
import { byId } from "./page.js";

/**
 * @typedef {{ label: string, name?: string, key?: string, isOn?: boolean, isGrave?: boolean, run(): void }} Entry
 * @typedef {{ label: string, row: Entry[] }} Row several in a line
 */

const MARGIN_PX = 8;

/**
 * The menu of a button: arrow keys, Escape, and the focus goes back to where it was. It stays where it was opened,
 * whatever goes on below it.
 */
export class Menu {
  #element = document.createElement("div");
  /** @type {HTMLElement | null} */
  #button = null;
  /** @type {HTMLElement | null} */
  #back = null;
  #opened;
  #closed;

  /** @param {() => void} opened @param {() => void} closed when the focus is back */
  constructor(opened, closed) {
    this.#opened = opened;
    this.#closed = closed;
    this.#element.className = "menu";
    this.#element.popover = "manual";
    this.#element.setAttribute("role", "menu");
    this.#element.addEventListener("keydown", (event) => this.#pressed(event));
    // The pointer shows where it is, as the keys do.
    this.#element.addEventListener("pointerover", ({ target, pointerType }) => {
      if (pointerType === "mouse") /** @type {Element} */ (target).closest("button")?.focus({ preventScroll: true });
    });
    byId("main").append(this.#element);
    document.addEventListener("pointerdown", ({ target }) => {
      const node = /** @type {Node} */ (target);
      if (this.isOpen && !this.#element.contains(node) && !this.#button?.contains(node)) this.close();
    });
    addEventListener("resize", () => this.close());
  }

  get isOpen() {
    return this.#button !== null;
  }

  /** What it is about. @param {string} text */
  set title(text) {
    /** @type {HTMLElement} */ (this.#element.querySelector(".menu__title")).textContent = text;
    this.#element.setAttribute("aria-label", text);
  }

  /** @param {HTMLElement} button */
  isOf(button) {
    return this.#button === button;
  }

  /**
   * @param {HTMLElement} button
   * @param {string} title
   * @param {(Entry | Row)[]} content
   * @param {HTMLElement} back where the focus goes afterwards
   */
  open(button, title, content, back) {
    this.close(false);
    const heading = document.createElement("p");
    heading.className = "menu__title";
    heading.dir = "auto";
    this.#element.replaceChildren(heading, ...content.map((part) => ("row" in part ? this.#row(part) : this.#entry(part))));
    this.title = title;
    this.#button = button;
    this.#back = back;
    button.setAttribute("aria-expanded", "true");
    this.#opened();
    this.#element.showPopover();
    this.#place(button.getBoundingClientRect());
    this.#items[0]?.focus({ preventScroll: true });
  }

  close(givesFocusBack = true) {
    if (!this.#button) return;
    const hadFocus = this.#element.contains(document.activeElement);
    this.#button.setAttribute("aria-expanded", "false");
    this.#button = null;
    this.#element.hidePopover();
    if (givesFocusBack && hadFocus && this.#back?.isConnected) this.#back.focus({ preventScroll: true });
    // What was said is nowhere once it is deleted.
    this.#element.replaceChildren();
    this.#element.removeAttribute("aria-label");
    this.#closed();
  }

  get #items() {
    return /** @type {HTMLElement[]} */ ([...this.#element.querySelectorAll("button")]);
  }

  /** @param {Row} row */
  #row({ label, row }) {
    const group = document.createElement("div");
    const name = document.createElement("span");
    group.className = "menu__row";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", label);
    name.className = "menu__label";
    name.textContent = label;
    group.append(name, ...row.map((entry) => this.#entry(entry)));
    return group;
  }

  /** @param {Entry} entry */
  #entry({ label, name, key, isOn, isGrave, run }) {
    const item = document.createElement("button");
    item.type = "button";
    item.className = "menu__item";
    item.tabIndex = -1;
    item.append(label);
    if (name) item.setAttribute("aria-label", name);
    item.classList.toggle("menu__item--grave", Boolean(isGrave));
    if (isOn === undefined) {
      item.setAttribute("role", "menuitem");
    } else {
      item.setAttribute("role", "menuitemcheckbox");
      item.setAttribute("aria-checked", String(isOn));
    }
    if (key) {
      const hint = document.createElement("kbd");
      hint.textContent = key;
      item.setAttribute("aria-keyshortcuts", key);
      hint.setAttribute("aria-hidden", "true");
      item.append(hint);
    }
    item.addEventListener("click", () => {
      this.close();
      run();
    });
    return item;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const items = this.#items;
    const at = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    /** @param {number} place */
    const go = (place) => items[(place + items.length) % items.length]?.focus({ preventScroll: true });
    switch (event.key) {
      case "ArrowDown":
      case "ArrowRight":
        go(at + 1);
        break;
      case "ArrowUp":
      case "ArrowLeft":
        go(at - 1);
        break;
      case "Home":
        go(0);
        break;
      case "End":
        go(-1);
        break;
      case "Escape":
      case "Tab":
        this.close();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  // Below the button, or above it where there is no room; never beyond the window.
  /** @param {DOMRect} anchor */
  #place(anchor) {
    const { width, height } = this.#element.getBoundingClientRect();
    const fitsBelow = anchor.bottom + height + MARGIN_PX <= innerHeight;
    const top = fitsBelow ? anchor.bottom : Math.max(MARGIN_PX, Math.min(anchor.top - height, innerHeight - height - MARGIN_PX));
    const left = Math.max(MARGIN_PX, Math.min(anchor.right - width, innerWidth - width - MARGIN_PX));
    this.#element.style.setProperty("--menu-top", `${top}px`);
    this.#element.style.setProperty("--menu-left", `${left}px`);
  }
}

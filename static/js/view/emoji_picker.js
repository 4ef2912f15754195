// @ts-check
import { findEmoji, latestEmoji, loadEmoji, tookEmoji } from "../lib/emoji.js";
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { watchComposition } from "./input_method.js";
import { byId, cloneTemplate } from "./page.js";
import { placeBeside } from "./placing.js";

/** @import { Emoji } from "../lib/emoji.js" */

const COLUMNS = 8;
const MOST_FOUND = 80;
const LATEST = "latest";
const GROUPS = /** @type {const} */ ([
  [LATEST, "🕘", () => gettext("Latest")],
  ["faces", "🙂", () => gettext("Faces")],
  ["people", "👋", () => gettext("People and hands")],
  ["nature", "🌿", () => gettext("Animals and nature")],
  ["food", "🍵", () => gettext("Food and drink")],
  ["places", "⛩️", () => gettext("Travel and places")],
  ["activities", "🎏", () => gettext("Activities")],
  ["objects", "💡", () => gettext("Objects")],
  ["symbols", "❤️", () => gettext("Symbols")],
]);

/**
 * Emoji to pick from, beside the button that opens it: a field to search by name, kinds, and a grid where arrow keys
 * lead.
 */
export class EmojiPicker {
  #element = cloneTemplate("emoji-picker");
  #button;
  #picked;
  #back;
  #search = /** @type {HTMLInputElement} */ (this.#element.querySelector(".emoji__search"));
  #grid = /** @type {HTMLElement} */ (this.#element.querySelector(".emoji__all"));
  #kinds = /** @type {HTMLElement} */ (this.#element.querySelector(".emoji__groups"));
  #name = /** @type {HTMLElement} */ (this.#element.querySelector("[data-name]"));
  #found = /** @type {HTMLElement} */ (this.#element.querySelector("[data-found]"));
  /** @type {Emoji[]} */
  #all = [];
  #kind = "";

  /**
   * @param {HTMLElement} button
   * @param {(emoji: string) => void} picked
   * @param {() => void} back puts the focus where one writes
   */
  constructor(button, picked, back) {
    this.#button = button;
    this.#picked = picked;
    this.#back = back;
    // Beside the field, for whoever goes on by Tab.
    byId("composer").after(this.#element);
    this.#kinds.append(...GROUPS.map(([kind, sign, label]) => this.#kindButton(kind, sign, label())));
    const isComposing = watchComposition(this.#search);
    this.#search.addEventListener("input", () => this.#show());
    this.#search.addEventListener("keydown", (event) => !isComposing(event) && this.#pressedInSearch(event));
    this.#grid.addEventListener("keydown", (event) => this.#pressedInGrid(event));
    this.#grid.addEventListener("click", ({ target, shiftKey }) => {
      const cell = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest(".emoji__one"));
      if (cell) this.#pick(cell, shiftKey);
    });
    for (const kind of ["focusin", "pointerover"]) {
      this.#grid.addEventListener(kind, ({ target }) => {
        const cell = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest(".emoji__one"));
        if (cell) this.#name.textContent = cell.dataset.names ?? "";
      });
    }
    this.#element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || isComposing(event)) return;
      event.preventDefault();
      this.close();
    });
    this.#element.querySelector("[data-cancel]")?.addEventListener("click", () => this.close());
    document.addEventListener("pointerdown", ({ target }) => {
      const node = /** @type {Node} */ (target);
      if (!this.#element.contains(node) && !button.contains(node)) this.close(false);
    });
    this.#element.addEventListener("focusout", ({ relatedTarget }) => {
      const node = /** @type {Node | null} */ (relatedTarget);
      if (node && !this.#element.contains(node) && node !== button) this.close(false);
    });
    addEventListener("resize", () => this.#isOpen && placeBeside(this.#element, button));
  }

  get #isOpen() {
    return this.#button.getAttribute("aria-expanded") === "true";
  }

  async toggle() {
    if (this.#isOpen) return this.close();
    this.#all = await loadEmoji();
    this.#search.value = "";
    this.#element.showPopover();
    this.#button.setAttribute("aria-expanded", "true");
    placeBeside(this.#element, this.#button);
    this.#choose(this.#latest().length ? LATEST : GROUPS[1][0]);
    // On a phone, the keyboard would cover what one came to see.
    if (matchMedia("(hover: hover)").matches) this.#search.focus({ preventScroll: true });
    else this.#cells[0]?.focus({ preventScroll: true });
  }

  close(givesFocusBack = true) {
    if (!this.#isOpen) return;
    this.#button.setAttribute("aria-expanded", "false");
    this.#element.hidePopover();
    this.#grid.replaceChildren();
    if (givesFocusBack) this.#back();
  }

  get #cells() {
    return /** @type {HTMLElement[]} */ ([...this.#grid.querySelectorAll(".emoji__one")]);
  }

  #latest() {
    const byEmoji = new Map(this.#all.map((one) => [one.emoji, one]));
    return latestEmoji().flatMap((emoji) => byEmoji.get(emoji) ?? []);
  }

  /** @param {string} kind @param {string} sign @param {string} label */
  #kindButton(kind, sign, label) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "emoji__group";
    button.dataset.kind = kind;
    button.textContent = sign;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.addEventListener("click", () => {
      this.#search.value = "";
      this.#choose(kind);
    });
    return button;
  }

  /** @param {string} kind */
  #choose(kind) {
    this.#kind = kind;
    this.#show();
  }

  #show() {
    const query = this.#search.value.trim();
    const kind = query ? "" : this.#kind;
    const shown = query
      ? findEmoji(this.#all, query, MOST_FOUND)
      : kind === LATEST
        ? this.#latest()
        : this.#all.filter(({ group }) => group === kind);
    const label = GROUPS.find(([name]) => name === kind)?.[2]() ?? gettext("What was found");
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.#kinds.querySelectorAll("button"))) {
      button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
    }
    /** @type {HTMLElement} */ (this.#kinds.querySelector(`[data-kind=${LATEST}]`)).hidden = !this.#latest().length;
    this.#grid.replaceChildren(...(shown.length ? [grid(shown, label)] : []));
    this.#grid.scrollTop = 0;
    this.#name.textContent = "";
    const count = shown.length;
    this.#found.textContent = query
      ? interpolate(ngettext("%(count)s found", "%(count)s found", count), { count: inDigits(count) })
      : "";
    if (query && !count) this.#name.textContent = gettext("Nothing is called like that.");
  }

  /** @param {KeyboardEvent} event */
  #pressedInSearch(event) {
    const [first] = this.#cells;
    if (event.key === "ArrowDown") first?.focus();
    // The form around it is another.
    else if (event.key === "Enter") first && this.#pick(first, event.shiftKey);
    else return;
    event.preventDefault();
  }

  /** @param {KeyboardEvent} event */
  #pressedInGrid(event) {
    const { key, ctrlKey, metaKey, altKey } = event;
    const cells = this.#cells;
    const at = cells.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at < 0 || ctrlKey || metaKey || altKey) return;
    /** @type {Record<string, number>} */
    const moves = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS };
    if (key in moves) {
      const to = at + moves[key];
      if (to < 0) this.#search.focus();
      else this.#go(cells, Math.min(to, cells.length - 1));
    } else if (key === "Home") this.#go(cells, 0);
    else if (key === "End") this.#go(cells, cells.length - 1);
    else if (key.length === 1 && key !== " ") {
      // A letter is looked for.
      this.#search.focus();
      return;
    } else return;
    event.preventDefault();
  }

  /** @param {HTMLElement[]} cells @param {number} to */
  #go(cells, to) {
    for (const cell of cells) cell.tabIndex = -1;
    cells[to].tabIndex = 0;
    cells[to].focus();
  }

  /** @param {HTMLElement} cell @param {boolean} goesOn whether another one is picked after it */
  #pick(cell, goesOn) {
    const emoji = cell.textContent ?? "";
    if (!goesOn) this.close();
    this.#picked(emoji);
    tookEmoji(emoji);
  }
}

/** @param {Emoji[]} shown @param {string} label */
function grid(shown, label) {
  const element = document.createElement("div");
  element.setAttribute("role", "grid");
  element.setAttribute("aria-label", label);
  for (let at = 0; at < shown.length; at += COLUMNS) {
    const row = document.createElement("div");
    row.className = "emoji__row";
    row.setAttribute("role", "row");
    row.append(...shown.slice(at, at + COLUMNS).map((one, place) => cell(one, at + place === 0)));
    element.append(row);
  }
  return element;
}

/** @param {Emoji} one @param {boolean} isStop */
function cell({ emoji, names, title }, isStop) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "emoji__one";
  button.tabIndex = isStop ? 0 : -1;
  button.textContent = emoji;
  button.dataset.names = `${title} · ${names.map((name) => `:${name}:`).join(" ")}`;
  button.setAttribute("role", "gridcell");
  button.setAttribute("aria-label", title);
  return button;
}

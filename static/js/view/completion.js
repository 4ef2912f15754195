// @ts-check
import { byId } from "./page.js";
import { watchComposition } from "./input_method.js";
import { placeBeside } from "./placing.js";

/**
 * `insert` takes the place of what is written from where the source says; `sign` stands before `text`, for the eye.
 * @typedef {{ insert: string, text: string, sign?: HTMLElement, more?: string }} Offer
 * @typedef {{ from: number, label: string, offers: Offer[] }} Offers
 */

/**
 * What there is to offer for the end of a text; null where it asks for nothing.
 * @typedef {(before: string) => Offers | null | Promise<Offers | null>} Source
 */

let made = 0;

/**
 * Offers how to go on with what is being written in a field: a listbox that the field controls while there is something
 * to offer. The focus stays in the field, and keys that belong to an input method are left to it.
 */
export class Completion {
  #field;
  #sources;
  #isComposing;
  #list = document.createElement("ul");
  /** @type {Offer[]} */
  #offers = [];
  #from = 0;
  #at = 0;
  /** Where something was offered that nobody wanted. */
  #unwanted = -1;
  #asked = 0;
  #listening = new AbortController();

  /** @param {HTMLTextAreaElement} field @param {Source[]} sources */
  constructor(field, sources) {
    this.#field = field;
    this.#sources = sources;
    this.#isComposing = watchComposition(field);
    this.#list.className = "offers";
    this.#list.id = `offers-${++made}`;
    this.#list.popover = "manual";
    this.#list.setAttribute("role", "listbox");
    // A press there takes nothing from the field: neither the focus nor what is being composed.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("mousedown", (event) => event.preventDefault());
    this.#list.addEventListener("click", ({ target }) => this.#clicked(/** @type {Element} */ (target)));
    byId("main").append(this.#list);
    const { signal } = this.#listening;
    field.setAttribute("aria-autocomplete", "list");
    field.addEventListener("input", () => this.offer(), { signal });
    field.addEventListener("blur", () => this.close(), { signal });
    // Before anybody else hears of it.
    field.addEventListener("keydown", (event) => this.#pressed(event), { signal, capture: true });
    document.addEventListener("selectionchange", () => this.isOpen && this.offer(), { signal });
    addEventListener("resize", () => this.isOpen && placeBeside(this.#list, field), { signal });
  }

  get isOpen() {
    return this.#offers.length > 0;
  }

  /** It is no more. */
  remove() {
    this.close();
    this.#listening.abort();
    this.#list.remove();
  }

  close() {
    this.#asked++;
    if (!this.isOpen) return;
    this.#offers = [];
    this.#list.hidePopover();
    this.#list.replaceChildren();
    for (const name of ["aria-controls", "aria-activedescendant"]) this.#field.removeAttribute(name);
  }

  /** Offer what there is for what is written now. */
  async offer() {
    const asked = ++this.#asked;
    const { selectionStart, selectionEnd, value } = this.#field;
    const before = value.slice(0, selectionEnd);
    let found = null;
    if (selectionStart === selectionEnd) {
      for (const source of this.#sources) {
        const offered = source(before);
        found ??= offered instanceof Promise ? await offered.catch(() => null) : offered;
      }
    }
    if (asked !== this.#asked) return;
    if (found?.from !== this.#unwanted) this.#unwanted = -1;
    if (!found?.offers.length || found.from === this.#unwanted || document.activeElement !== this.#field) this.close();
    else this.#show(found);
  }

  /** @param {Offers} found */
  #show({ from, label, offers }) {
    const wasOpen = this.isOpen;
    const inserts = (/** @type {Offer[]} */ them) => them.map(({ insert }) => insert).join("\n");
    // The same as before: what is chosen among it stays chosen.
    if (from === this.#from && inserts(offers) === inserts(this.#offers)) return;
    this.#from = from;
    this.#offers = offers;
    this.#list.setAttribute("aria-label", label);
    this.#list.replaceChildren(...offers.map((offer, place) => this.#option(offer, place)));
    if (!wasOpen) {
      // It stays a field of several lines, which cannot be a combobox: what is chosen in the list is told all the same.
      this.#field.setAttribute("aria-controls", this.#list.id);
      this.#list.showPopover();
    }
    placeBeside(this.#list, this.#field);
    this.#go(0);
  }

  /** @param {Offer} offer @param {number} place */
  #option({ text, sign, more }, place) {
    const option = document.createElement("li");
    const name = document.createElement("bdi");
    option.className = "offer";
    option.id = `${this.#list.id}-${place}`;
    option.setAttribute("role", "option");
    name.className = "offer__text";
    name.textContent = text;
    option.append(...(sign ? [sign] : []), name);
    if (more) {
      const extra = document.createElement("span");
      extra.className = "offer__more";
      extra.textContent = more;
      option.append(extra);
    }
    return option;
  }

  /** @param {number} to */
  #go(to) {
    const options = this.#list.children;
    this.#at = (to + options.length) % options.length;
    for (const [place, option] of [...options].entries()) option.setAttribute("aria-selected", String(place === this.#at));
    this.#field.setAttribute("aria-activedescendant", options[this.#at].id);
    options[this.#at].scrollIntoView({ block: "nearest" });
  }

  /** @param {Element} target */
  #clicked(target) {
    const place = [...this.#list.children].indexOf(/** @type {Element} */ (target.closest("[role=option]")));
    if (place >= 0) this.#take(this.#offers[place]);
  }

  /** @param {Offer} offer */
  #take({ insert }) {
    const { selectionEnd } = this.#field;
    const from = this.#from;
    this.close();
    this.#field.focus({ preventScroll: true });
    this.#field.setRangeText(insert, from, selectionEnd, "end");
    this.#field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertReplacementText", data: insert }));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (!this.isOpen || ctrlKey || metaKey || altKey || this.#isComposing(event)) return;
    if (key === "ArrowDown") this.#go(this.#at + 1);
    else if (key === "ArrowUp") this.#go(this.#at - 1);
    else if (key === "Escape") this.#dismiss();
    else if ((key === "Enter" || key === "Tab") && !shiftKey) {
      const offer = this.#offers[this.#at];
      const written = this.#field.value.slice(this.#from, this.#field.selectionEnd);
      // It is there already, letter by letter: what the key means besides is meant.
      if (offer.insert.trim() === written && key === "Enter") return this.close();
      this.#take(offer);
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #dismiss() {
    this.#unwanted = this.#from;
    this.close();
  }
}

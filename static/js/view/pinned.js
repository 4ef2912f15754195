// @ts-check
import { Backoff } from "../lib/backoff.js";
import { excerpt } from "../lib/excerpt.js";
import { byId, fetchPage, ownPage, permalink } from "./page.js";

/** @import { Message } from "../lib/types.js" */

/** The pinned message, in a bar under the room's head. */
export class Pinned {
  #bar = byId("pinned");
  #get;

  /**
   * @param {(mid: string) => Message | undefined} get a message that is shown
   * @param {(mid: string) => void} unpin
   */
  constructor(get, unpin = () => {}) {
    this.#get = get;
    this.#button?.addEventListener("click", () => unpin(this.#bar.dataset.mid ?? ""));
  }

  /** @param {string | null | undefined} mid @param {boolean} mayUnpin */
  async show(mid, mayUnpin = false) {
    const { dataset } = this.#bar;
    if (this.#button) this.#button.hidden = !mayUnpin;
    if (mid === undefined || (mid ?? "") === dataset.mid) return;
    dataset.mid = mid ?? "";
    const message = mid ? this.#get(mid) : undefined;
    this.#fill(message);
    this.#bar.hidden = !message;
    if (mid && !message) await this.#lookUp(mid);
  }

  /** A message has another text: perhaps the one that is pinned. @param {Message} message */
  changed(message) {
    if (message.mid !== this.#bar.dataset.mid) return;
    this.#fill(message);
    this.#bar.hidden = false;
  }

  /** The room was read anew: so may be what the pinned message says. @param {Document} page */
  renewed(page) {
    const bar = page.getElementById("pinned");
    if (bar && bar.dataset.mid === this.#bar.dataset.mid) this.#take(bar);
  }

  /** @returns {HTMLButtonElement | null} */
  get #button() {
    return this.#bar.querySelector(".pinned__unpin");
  }

  /** @param {Message | undefined} message */
  #fill(message) {
    const link = /** @type {HTMLAnchorElement} */ (this.#bar.querySelector(".pinned__link"));
    link.dataset.mid = message?.mid ?? "";
    link.setAttribute("href", permalink(link.dataset.mid));
    /** @type {HTMLElement} */ (this.#bar.querySelector(".pinned__author")).textContent = message?.author.name ?? "";
    /** @type {HTMLElement} */ (this.#bar.querySelector(".pinned__excerpt")).textContent = excerpt(message?.message ?? "");
  }

  /** @param {HTMLElement} bar */
  #take(bar) {
    const link = bar.querySelector(".pinned__link");
    if (link) this.#bar.querySelector(".pinned__link")?.replaceWith(link);
    this.#bar.hidden = bar.hidden;
  }

  // It was said long ago: a page of now has it.
  /** @param {string} mid */
  async #lookUp(mid, backoff = new Backoff()) {
    // Meanwhile another may be pinned, or an edit may have told what it says now.
    const isSought = () => this.#bar.hidden && this.#bar.dataset.mid === mid;
    if (!isSought()) return;
    try {
      const page = await fetchPage(ownPage());
      const bar = page.getElementById("pinned");
      if (isSought() && bar?.dataset.mid === mid) this.#take(bar);
    } catch (error) {
      console.warn("Engawa: the pinned message could not be read.", error);
      const status = /** @type {any} */ (error).cause;
      // What is refused stays so, but for who asked too often.
      if (status >= 400 && status < 500 && status !== 429) return;
      setTimeout(() => this.#lookUp(mid, backoff), backoff.next());
    }
  }
}

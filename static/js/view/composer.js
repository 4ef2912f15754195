// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { keep, readKept } from "../lib/kept.js";
import { byId } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Outbox } from "../lib/outbox.js" */
/** @import { Standing } from "../lib/standing.js" */
/** @import { Message } from "../lib/types.js" */

// Of this tab alone: two tabs are two trains of thought.
const place = () => sessionStorage;

/**
 * Where one writes. What is sent goes to the outbox and leaves the field at once; what is not sent yet outlives a
 * reload.
 */
export class Composer {
  #form = /** @type {HTMLFormElement} */ (byId("composer"));
  #field = /** @type {HTMLTextAreaElement} */ (this.#form.elements.namedItem("message"));
  #alert = byId("composer-error");
  #reply = byId("composer-reply");
  #draft;
  #outbox;
  #standing;
  #onSent;
  /** What is answered. @type {string | undefined} */
  #answered;

  /**
   * @param {Outbox} outbox
   * @param {Standing} standing
   * @param {string} draft under what name to keep what is not sent yet
   * @param {{ sent(): void, up(): void }} on `up`: ArrowUp where nothing is written
   */
  constructor(outbox, standing, draft, { sent, up }) {
    this.#outbox = outbox;
    this.#standing = standing;
    this.#draft = draft;
    this.#onSent = sent;
    this.#field.value ||= readKept(place, draft) ?? "";
    this.#field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowUp" && !this.#field.value) {
        event.preventDefault();
        up();
      }
      if (event.key === "Escape" && this.#answered) this.#cancelAnswer();
    });
    submitOnEnter(this.#field);
    this.#field.addEventListener("input", () => {
      this.#alert.textContent = "";
      keep(place, draft, this.#field.value);
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#reply.querySelector("button")?.addEventListener("click", () => this.#cancelAnswer());
  }

  /** What is written next answers a message. @param {Message} message */
  answer({ mid, author, message }) {
    this.#answered = mid;
    this.#describe(author.name, excerpt(message));
    this.#reply.hidden = false;
    this.#field.focus();
  }

  /** A message has another text: perhaps the one that is answered. @param {Message} message */
  changed({ mid, author, message }) {
    if (mid === this.#answered) this.#describe(author.name, excerpt(message));
  }

  /** A message is gone: perhaps the one that is answered. @param {string} mid */
  gone(mid) {
    if (mid !== this.#answered) return;
    this.#cancelAnswer();
    this.#alert.textContent = "The message that you were answering is gone.";
  }

  /** @param {string} text */
  complain(text) {
    this.#alert.textContent = text;
  }

  /** @param {string} author @param {string} text */
  #describe(author, text) {
    /** @type {HTMLElement} */ (this.#reply.querySelector("[data-author]")).textContent = author;
    /** @type {HTMLElement} */ (this.#reply.querySelector("[data-excerpt]")).textContent = text;
  }

  #cancelAnswer() {
    const hadFocus = this.#reply.contains(document.activeElement);
    this.#answered = undefined;
    this.#reply.hidden = true;
    this.#describe("", "");
    if (hadFocus) this.#field.focus();
  }

  #send() {
    const text = this.#field.value;
    const length = [...text].length;
    const most = Number(this.#form.dataset.maxChars);
    if (!text.trim() || this.#standing.refusal) return;
    // Not `maxlength`: it would cut what is pasted, and say nothing.
    if (length > most) return this.complain(`That is ${length} characters; a message has at most ${most}.`);
    try {
      this.#outbox.add(text, this.#answered);
    } catch (error) {
      return this.complain(/** @type {Error} */ (error).message);
    }
    this.#field.value = "";
    this.#alert.textContent = "";
    this.#cancelAnswer();
    keep(place, this.#draft, "");
    this.#onSent();
  }
}

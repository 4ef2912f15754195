// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { showCount } from "./character_count.js";
import { byId } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Draft } from "../lib/draft.js" */
/** @import { Lazy } from "../lib/lazy.js" */
/** @import { Outbox } from "../lib/outbox.js" */
/** @import { Standing } from "../lib/standing.js" */
/** @import { Message } from "../lib/types.js" */
/** @import { Source } from "./completion.js" */

/** @typedef {typeof import("./writing_aids.js")} Aids */

// A text that may name emoji; which do is known once their names are here.
const NAMES = /[:：][a-z0-9_+-]+[:：]/;

/**
 * Where one writes. What is sent goes to the outbox and leaves the field at once; what is not sent yet is kept.
 */
export class Composer {
  #form = /** @type {HTMLFormElement} */ (byId("composer"));
  #field = /** @type {HTMLTextAreaElement} */ (this.#form.elements.namedItem("message"));
  #alert = byId("composer-error");
  #reply = byId("composer-reply");
  #draft;
  #outbox;
  #standing;
  #on;
  #isSending = false;
  #isHelped = false;
  /** What is answered. @type {string | undefined} */
  #answered;

  /**
   * @param {Outbox} outbox
   * @param {Standing} standing
   * @param {Draft} draft
   * @param {{ aids: Lazy<Aids>, sources(aids: Aids): Source[], sent(): void, up(): void, written(text: string): void }}
   *   on `sources`: what may be offered while one writes; `up`: ArrowUp where nothing is written
   */
  constructor(outbox, standing, draft, on) {
    this.#outbox = outbox;
    this.#standing = standing;
    this.#draft = draft;
    this.#on = on;
    // What the server gives back comes from a form that it could not take.
    const kept = draft.take();
    this.#field.value ||= kept;
    this.#field.addEventListener("focus", () => this.#help());
    this.#field.addEventListener("keydown", (event) => {
      if (event.isComposing) return;
      if (event.key === "ArrowUp" && !this.#field.value) {
        event.preventDefault();
        on.up();
      }
      if (event.key === "Escape" && this.#answered) this.#cancelAnswer();
    });
    submitOnEnter(this.#field);
    showCount(this.#field, Number(this.#form.dataset.maxChars));
    this.#field.addEventListener("input", () => {
      this.#alert.textContent = "";
      draft.keep(this.#field.value);
      on.written(this.#field.value);
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#reply.querySelector("button")?.addEventListener("click", () => this.#cancelAnswer());
    this.#watchPicker(byId("emoji"));
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
    this.#alert.textContent = gettext("The message that you were answering is gone.");
  }

  /** The room was read anew, and what is answered may be none of it. @param {(mid: string) => Message | undefined} get */
  renewed(get) {
    if (!this.#answered) return;
    const message = get(this.#answered);
    if (message) this.changed(message);
    else this.#describe("", gettext("an earlier message"));
  }

  /** Put something where one is writing. @param {string} text @param {boolean} [isWord] with a space where a word ends */
  insert(text, isWord = false) {
    const { selectionStart, selectionEnd, value } = this.#field;
    if (this.#field.readOnly) return;
    const lead = isWord && /\S$/u.test(value.slice(0, selectionStart)) ? " " : "";
    this.#field.setRangeText(`${lead}${text}${isWord ? " " : ""}`, selectionStart, selectionEnd, "end");
    this.#field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText", data: text }));
  }

  /** Name somebody in what is being written. @param {string} name */
  async mention(name) {
    this.#field.focus();
    try {
      this.insert((await this.#on.aids.get()).mentionOf(name), true);
    } catch {
      this.insert(`@${name}`, true);
    }
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

  // What it takes to pick from is fetched when somebody wants to pick.
  /** @param {HTMLElement} button */
  #watchPicker(button) {
    /** @type {Promise<import("./emoji_picker.js").EmojiPicker> | undefined} */
    let picker;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        picker ??= import("./emoji_picker.js").then(
          ({ EmojiPicker }) => new EmojiPicker(button, (emoji) => this.insert(emoji), () => this.#field.focus()),
        );
        await (await picker).toggle();
      } catch {
        picker = undefined;
        this.complain(gettext("The emoji could not be fetched. Try again when there is a connection."));
      }
    });
  }

  // What helps is fetched when somebody begins to write.
  async #help() {
    if (this.#isHelped) return;
    this.#isHelped = true;
    try {
      const aids = await this.#on.aids.get();
      new aids.Completion(this.#field, this.#on.sources(aids)).offer();
    } catch {
      this.#isHelped = false;
    }
  }

  /** @param {string} text */
  async #withEmoji(text) {
    try {
      return await (await this.#on.aids.get()).asSent(text);
    } catch {
      return text;
    }
  }

  async #send() {
    const typed = this.#field.value;
    if (!typed.trim() || this.#standing.refusal || this.#isSending) return;
    this.#isSending = true;
    const text = NAMES.test(typed) ? await this.#withEmoji(typed) : typed;
    this.#isSending = false;
    const length = [...text].length;
    const most = Number(this.#form.dataset.maxChars);
    // Not `maxlength`: it would cut what is pasted, and say nothing.
    if (length > most) {
      return this.complain(
        interpolate(
          ngettext(
            "That is %(length)s character; a message has at most %(most)s.",
            "That is %(length)s characters; a message has at most %(most)s.",
            length,
          ),
          { length: inDigits(length), most: inDigits(most) },
        ),
      );
    }
    try {
      this.#outbox.add(text, this.#answered);
    } catch (error) {
      return this.complain(/** @type {Error} */ (error).message);
    }
    // What was written on while the names of emoji were fetched stays.
    const rest = this.#field.value.startsWith(typed) ? this.#field.value.slice(typed.length) : "";
    this.#field.value = rest;
    this.#alert.textContent = "";
    this.#cancelAnswer();
    this.#draft.keep(rest);
    this.#field.dispatchEvent(new Event("emptied"));
    this.#on.sent();
  }
}

// @ts-check
import { excerpt } from "../lib/excerpt.js";
import { gettext } from "../lib/words.js";
import { byId, cloneTemplate } from "./page.js";

/** @import { Message } from "../lib/types.js" */

/**
 * Asks before something is done, in the page's one <dialog>. What is asked, and for what besides, is in a <template>.
 */
export class Dialog {
  #dialog = /** @type {HTMLDialogElement} */ (byId("dialog"));
  #opened;
  #closed;
  /** @type {string | undefined} */
  #about;

  /** @param {() => void} opened @param {() => void} closed when the focus is where it was before, if that is still there */
  constructor(opened, closed) {
    this.#opened = opened;
    this.#closed = closed;
    this.#dialog.addEventListener("close", () => {
      // It is told late: whoever is quick has opened it again.
      if (this.#dialog.open) return;
      this.#dialog.replaceChildren();
      this.#closed();
    });
    // Beside it is out of it.
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
  }

  /** A message has another text: perhaps the one that this is about. @param {Message} message */
  changed(message) {
    if (message.mid === this.#about) describe(this.#dialog, message);
  }

  /** A message is gone: perhaps the one that this is about. What it said goes, too. @param {string} mid */
  gone(mid) {
    if (mid === this.#about) this.#say(gettext("(deleted)"));
  }

  /** The room was read anew, and what this is about may be none of it. @param {(mid: string) => Message | undefined} get */
  renewed(get) {
    const message = get(this.#about ?? "");
    if (message) this.changed(message);
    else this.#say(gettext("an earlier message"));
  }

  /** @param {string} words in the place of what was said */
  #say(words) {
    for (const slot of this.#dialog.querySelectorAll("[data-excerpt]")) slot.textContent = words;
  }

  /**
   * @param {string} template
   * @param {Message | null} about
   * @param {(values: Record<string, string>) => Promise<void>} submit with what was filled in; an Error it rejects with
   *   is shown
   * @param {Record<string, string>} preset
   * @returns {HTMLFormElement}
   */
  ask(template, about, submit, preset = {}) {
    const form = /** @type {HTMLFormElement} */ (cloneTemplate(template));
    if (about) describe(form, about);
    this.#about = about?.mid;
    for (const [name, value] of Object.entries(preset)) {
      const field = /** @type {RadioNodeList} */ (form.elements.namedItem(name));
      field.value = value;
      for (const radio of field) {
        /** @type {HTMLElement} */ (radio).toggleAttribute("autofocus", /** @type {HTMLInputElement} */ (radio).value === value);
      }
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const alert = form.querySelector("[role=alert]");
      try {
        await submit(/** @type {Record<string, string>} */ (Object.fromEntries(new FormData(form))));
        if (form.isConnected) this.#dialog.close();
      } catch (error) {
        if (alert) alert.textContent = /** @type {Error} */ (error).message;
      }
    });
    form.addEventListener("keydown", (event) => chooseByDigit(form, event));
    form.querySelector("[data-cancel]")?.addEventListener("click", () => this.#dialog.close());
    this.#dialog.replaceChildren(form);
    this.#opened();
    this.#dialog.showModal();
    return form;
  }
}

/** @param {HTMLElement} form @param {Message} message */
function describe(form, { author, message }) {
  for (const slot of form.querySelectorAll("[data-author]")) slot.textContent = author.name;
  for (const slot of form.querySelectorAll("[data-excerpt]")) slot.textContent = excerpt(message);
}

/** @param {HTMLFormElement} form @param {KeyboardEvent} event */
function chooseByDigit(form, event) {
  const { key, target, ctrlKey, metaKey, altKey } = event;
  const options = /** @type {HTMLElement | null} */ (form.querySelector("[data-digits]"));
  const isTyping = target instanceof HTMLInputElement && target.type !== "radio";
  if (!options || isTyping || ctrlKey || metaKey || altKey || !/^[1-9]$/.test(key)) return;
  const radio = options.querySelectorAll("input")[Number(key) - 1];
  if (!radio) return;
  event.preventDefault();
  radio.checked = true;
  radio.focus();
  if (options.dataset.digits === "submit") form.requestSubmit();
}

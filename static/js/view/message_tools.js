// @ts-check
import { cloneTemplate } from "./page.js";
import { submitOnEnter } from "./submit_on_enter.js";

/** @import { Requests } from "../lib/requests.js" */
/** @import { Message } from "../lib/types.js" */

/**
 * What one may do with a message: edit one's own, delete one's own or, as a moderator, any.
 */
export class MessageTools {
  #requests;
  #me;
  #mayModerate;

  /**
   * @param {Requests} requests
   * @param {string} me
   * @param {boolean} mayModerate
   */
  constructor(requests, me, mayModerate) {
    this.#requests = requests;
    this.#me = me;
    this.#mayModerate = mayModerate;
  }

  /**
   * @param {HTMLElement} item
   * @param {Message} message
   */
  offer(item, message) {
    const isMine = message.author.id === this.#me;
    item.classList.toggle("message--mine", isMine);
    if (item.querySelector(".message__tools") || !(isMine || this.#mayModerate)) return;
    const tools = cloneTemplate("message-tools");
    const [edit, remove] = tools.querySelectorAll("button");
    edit.hidden = !isMine;
    edit.addEventListener("click", () => this.#edit(item, tools));
    remove.addEventListener("click", () => this.#confirmDeletion(item, tools));
    item.append(tools);
  }

  /** @param {HTMLElement} item @param {HTMLElement} tools */
  #edit(item, tools) {
    const editor = /** @type {HTMLFormElement} */ (cloneTemplate("message-editor"));
    const field = /** @type {HTMLTextAreaElement} */ (editor.elements.namedItem("message"));
    field.value = item.dataset.text ?? "";
    this.#openForm(item, tools, editor, () => ({ type: "edit", mid: item.dataset.mid, message: field.value }));
    item.classList.add("message--editing");
    submitOnEnter(field);
    field.focus();
  }

  /** @param {HTMLElement} item @param {HTMLElement} tools */
  #confirmDeletion(item, tools) {
    const question = /** @type {HTMLFormElement} */ (cloneTemplate("message-deletion"));
    this.#openForm(item, tools, question, () => ({ type: "delete", mid: item.dataset.mid }));
    question.querySelector("button")?.focus();
  }

  /**
   * Put a form in the place of the buttons until it is done with or given up.
   * @param {HTMLElement} item
   * @param {HTMLElement} tools
   * @param {HTMLFormElement} form
   * @param {() => import("../lib/types.js").Frame} frame what to send when it is submitted
   */
  #openForm(item, tools, form, frame) {
    const alert = /** @type {HTMLElement} */ (form.querySelector("[role=alert]"));
    const opener = /** @type {HTMLElement} */ (document.activeElement);
    const close = () => {
      form.remove();
      tools.hidden = false;
      item.classList.remove("message--editing");
      opener.focus();
    };
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      alert.textContent = "";
      try {
        await this.#requests.ask(frame());
        close();
      } catch (error) {
        alert.textContent = /** @type {Error} */ (error).message;
      }
    });
    form.addEventListener("keydown", (event) => {
      // Escape while composing only takes back the word.
      if (event.key === "Escape" && !event.isComposing) close();
    });
    form.querySelector("[data-cancel]")?.addEventListener("click", close);
    tools.hidden = true;
    item.append(form);
    form.scrollIntoView({ block: "nearest" });
  }
}

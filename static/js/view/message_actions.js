// @ts-check
import { complain, say } from "./feedback.js";
import { permalink } from "./page.js";

/** @import { MyReactions } from "../lib/my_reactions.js" */
/** @import { Requests } from "../lib/requests.js" */
/** @import { Standing } from "../lib/standing.js" */
/** @import { Frame, Message } from "../lib/types.js" */
/** @import { Dialog } from "./dialog.js" */
/** @import { Entry, Row } from "./menu.js" */

const MUTES = /** @type {const} */ ([["10 s", 10], ["1 min", 60], ["10 min", 600], ["1 h", 3600], ["24 h", 86_400]]);
const BANS = /** @type {const} */ ([["1 h", 3600], ["1 day", 86_400], ["1 week", 604_800], ["for good", ""]]);

/**
 * What one may do with a message, for its menu and for keys. The server decides anew.
 */
export class MessageActions {
  #room;

  /**
   * @param {{ requests: Requests, standing: Standing, mine: MyReactions, dialog: Dialog, isMine(message: Message): boolean,
   *   reactions: string[], answer(message: Message): void, edit(message: Message): void }} room
   */
  constructor(room) {
    this.#room = room;
  }

  /** The content of its menu. @param {Message} message @returns {(Entry | Row)[]} */
  menu(message) {
    const { may } = this.#room.standing;
    const actions = this.of(message).map(({ entry, row }) => row ?? entry);
    return may.react ? [this.#reactions(message), ...actions] : actions;
  }

  /** @param {Message} message @param {string} key @returns {boolean} whether there is such a thing to do */
  press(message, key) {
    if (key === "?") {
      this.#showKeys();
      return true;
    }
    const found = this.of(message).find(({ entry }) => entry.key === key);
    found?.entry.run();
    return found !== undefined;
  }

  /** Put a reaction, or take it back. @param {Message} message @param {string} reaction */
  async toggle({ mid }, reaction) {
    const { requests, mine } = this.#room;
    const isWanted = !mine.has(mid, reaction);
    mine.set(mid, reaction, isWanted);
    try {
      await requests.ask({ type: isWanted ? "react" : "unreact", mid, reaction });
    } catch (error) {
      mine.set(mid, reaction, !isWanted);
      complain(error);
    }
  }

  /**
   * A row stands for an entry where that is a choice.
   * @param {Message} message
   * @returns {{ entry: Entry, row?: Row }[]}
   */
  of(message) {
    const { standing, answer, edit } = this.#room;
    const { mid, author } = message;
    const { may, about } = standing;
    const isMine = this.#room.isMine(message);
    const moderates = may.moderate && !isMine;
    const isBelow = moderates && author.kind !== "bot" && standing.outranks(author.role);
    const isPinned = about.pinned === mid;
    /** @param {unknown} isOffered @param {Entry} entry @param {Row} [row] */
    const offer = (isOffered, entry, row) => (isOffered ? [{ entry, row }] : []);
    return [
      ...offer(may.post, { key: "r", label: "Reply", run: () => answer(message) }),
      ...offer(isMine, { key: "e", label: "Edit", run: () => edit(message) }),
      ...offer(may.moderate, {
        key: "p",
        label: isPinned ? "Unpin" : "Pin",
        run: () => this.#do({ type: isPinned ? "unpin" : "pin", mid }, isPinned ? "Unpinned." : "Pinned."),
      }),
      ...offer(true, { key: "l", label: "Copy link", run: () => copyLink(mid) }),
      ...offer(!isMine, { key: "!", label: "Report…", run: () => this.#report(message) }),
      ...offer(moderates, {
        key: "h",
        label: "Hide",
        run: () => this.#do({ type: "hide", mid }, "Hidden. It can be shown again under Moderation."),
      }),
      ...offer(isMine || moderates, {
        key: "d",
        label: "Delete…",
        isGrave: true,
        run: () => this.#ask("ask-delete", message, "delete", "Deleted."),
      }),
      ...offer(moderates && standing.outranks(author.role), {
        key: "a",
        label: "Delete all recent of this author…",
        isGrave: true,
        run: () => this.#ask("ask-delete-recent", message, "delete_recent", "Deleted."),
      }),
      ...offer(
        isBelow,
        { key: "m", label: "Mute…", run: () => this.#ask("ask-mute", message, "mute", "Muted.") },
        {
          label: "Mute",
          row: [
            ...MUTES.map(([label, seconds]) => ({
              label,
              run: () => this.#do({ type: "mute", mid, seconds }, `${author.name} is muted for ${label}.`),
            })),
            { label: "…", run: () => this.#ask("ask-mute", message, "mute", "Muted.") },
          ],
        },
      ),
      ...offer(
        isBelow,
        { key: "b", label: "Ban…", run: () => this.#ban(message) },
        {
          label: "Ban",
          row: BANS.map(([label, seconds]) => ({
            label,
            isGrave: true,
            run: () => this.#ban(message, String(seconds)),
          })),
        },
      ),
    ];
  }

  /** @param {Message} message @returns {Row} */
  #reactions(message) {
    const { reactions, mine } = this.#room;
    const row = reactions.map((reaction) => ({
      label: reaction,
      isOn: Boolean(message.reactions?.[reaction]) && mine.has(message.mid, reaction),
      run: () => this.toggle(message, reaction),
    }));
    return { label: "React", row };
  }

  /** @param {Frame} frame @param {string} done */
  async #do(frame, done) {
    try {
      await this.#room.requests.ask(frame);
      say(done);
    } catch (error) {
      complain(error);
    }
  }

  /** @param {string} template @param {Message} message @param {string} type @param {string} done */
  #ask(template, message, type, done) {
    const form = this.#room.dialog.ask(template, message, async ({ seconds, reason }) => {
      await this.#room.requests.ask({ type, mid: message.mid, seconds: seconds && Number(seconds), reason });
      say(done);
    });
    // Why one deletes one's own is nobody's business.
    if (this.#room.isMine(message)) form.querySelector("[data-reason]")?.remove();
  }

  /** @param {Message} message @param {string} [howLong] */
  #ban(message, howLong) {
    const { mid, author } = message;
    const form = this.#room.dialog.ask(
      "ask-ban",
      message,
      async ({ target, seconds, reason }) => {
        const frame = { type: "ban", mid, target: target || null, seconds: seconds ? Number(seconds) : null, reason };
        await this.#room.requests.ask(frame);
        say(`${author.name} is banned.`);
      },
      howLong === undefined ? {} : { seconds: howLong },
    );
    const promise = () => {
      const target = /** @type {RadioNodeList} */ (form.elements.namedItem("target")).value || author.kind;
      for (const hint of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-promise]"))) {
        hint.hidden = hint.dataset.promise !== target;
      }
    };
    form.addEventListener("change", promise);
    promise();
  }

  /** @param {Message} message */
  #report(message) {
    this.#room.dialog.ask("ask-report", message, async ({ reason, note }) => {
      await this.#room.requests.ask({ type: "report", mid: message.mid, reason, note });
      say("Reported to the moderators.");
    });
  }

  #showKeys() {
    const form = this.#room.dialog.ask("ask-keys", null, async () => {});
    for (const line of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll("[data-for=moderate]"))) {
      line.hidden = !this.#room.standing.may.moderate;
    }
  }
}

/** @param {string} mid */
async function copyLink(mid) {
  const link = new URL(permalink(mid), location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    say("The link is in the clipboard.");
  } catch {
    say(link);
  }
}

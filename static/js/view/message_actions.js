// @ts-check
import { inUnits } from "../lib/durations.js";
import { gettext, interpolate } from "../lib/words.js";
import { complain, say } from "./feedback.js";
import { permalink } from "./page.js";

/** @import { MyReactions } from "../lib/my_reactions.js" */
/** @import { Requests } from "../lib/requests.js" */
/** @import { Standing } from "../lib/standing.js" */
/** @import { Author, Frame, Message } from "../lib/types.js" */
/** @import { Dialog } from "./dialog.js" */
/** @import { Entry, Row } from "./menu.js" */

const UNITS = { second: 1, minute: 60, hour: 3600, day: 86_400, week: 604_800 };
const MUTES = /** @type {const} */ ([["second", 10], ["minute", 1], ["minute", 10], ["hour", 1], ["hour", 24]]);
const BANS = /** @type {const} */ ([["hour", 1], ["day", 1], ["week", 1]]);

/**
 * What one may do with a message, for its menu and for keys. The server decides anew.
 */
export class MessageActions {
  #room;

  /**
   * @param {{ requests: Requests, standing: Standing, mine: MyReactions, dialog: Dialog, isMine(message: Message): boolean,
   *   reactions: string[], answer(message: Message): void, edit(message: Message): void, showKeys(): void }} room
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
      this.#room.showKeys();
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
      ...offer(may.post, { key: "r", label: gettext("Reply"), run: () => answer(message) }),
      ...offer(isMine, { key: "e", label: gettext("Edit"), run: () => edit(message) }),
      ...offer(may.moderate, {
        key: "p",
        label: isPinned ? gettext("Unpin") : gettext("Pin"),
        run: () => this.#do({ type: isPinned ? "unpin" : "pin", mid }, isPinned ? gettext("Unpinned.") : gettext("Pinned.")),
      }),
      ...offer(true, { key: "l", label: gettext("Copy link"), run: () => copyLink(mid) }),
      ...offer(!isMine, { key: "!", label: gettext("Report…"), run: () => this.#report(message) }),
      ...offer(moderates, {
        key: "h",
        label: gettext("Hide"),
        run: () => this.#do({ type: "hide", mid }, gettext("Hidden. It can be shown again under Moderation.")),
      }),
      ...offer(isMine || moderates, {
        key: "d",
        label: gettext("Delete…"),
        isGrave: true,
        run: () => this.#ask("ask-delete", message, "delete", gettext("Deleted.")),
      }),
      ...offer(moderates && standing.outranks(author.role), {
        key: "a",
        label: gettext("Delete all recent of this author…"),
        isGrave: true,
        run: () => this.#ask("ask-delete-recent", message, "delete_recent", gettext("Deleted.")),
      }),
      ...offer(
        isBelow,
        { key: "m", label: gettext("Mute…"), run: () => this.#ask("ask-mute", message, "mute", gettext("Muted.")) },
        {
          label: gettext("Mute"),
          row: [
            ...MUTES.map(([unit, count]) => ({
              label: inUnits(count, unit),
              run: () => this.#do({ type: "mute", mid, seconds: count * UNITS[unit] }, mutedFor(author, unit, count)),
            })),
            {
              label: "…",
              name: gettext("Mute for another time…"),
              run: () => this.#ask("ask-mute", message, "mute", gettext("Muted.")),
            },
          ],
        },
      ),
      ...offer(
        isBelow,
        { key: "b", label: gettext("Ban…"), run: () => this.#ban(message) },
        {
          label: gettext("Ban"),
          row: [
            ...BANS.map(([unit, count]) => ({
              label: inUnits(count, unit),
              isGrave: true,
              run: () => this.#ban(message, String(count * UNITS[unit])),
            })),
            { label: gettext("for good"), isGrave: true, run: () => this.#ban(message, "") },
          ],
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
    return { label: gettext("React"), row };
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
        say(interpolate(gettext("%(name)s is banned."), { name: author.name }));
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
      say(gettext("Reported to the moderators."));
    });
  }
}

/** @param {Author} author @param {string} unit @param {number} count */
const mutedFor = ({ name }, unit, count) =>
  interpolate(gettext("%(name)s is muted for %(time)s."), { name, time: inUnits(count, unit, "long") });

/** @param {string} mid */
async function copyLink(mid) {
  const link = new URL(permalink(mid), location.href).href;
  try {
    await navigator.clipboard.writeText(link);
    say(gettext("The link is in the clipboard."));
  } catch {
    say(link);
  }
}

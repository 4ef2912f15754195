// @ts-check
import { hueOf, letterOf } from "../lib/hues.js";
import { languageOf } from "../lib/language_of.js";
import { safeFragment } from "../lib/safe_html.js";
import { gettext, pageLanguage } from "../lib/words.js";

/** @import { Author, Message } from "../lib/types.js" */

// One message's element, made by chat/_message.html: there for the server, and blank in a <template> for us.

// The day stands above; and whoever wants to know exactly asks for it.
const short = new Intl.DateTimeFormat(pageLanguage(), { timeStyle: "short" });
const exact = new Intl.DateTimeFormat(pageLanguage(), { dateStyle: "full", timeStyle: "long" });

/** @param {string} mid */
export const findItem = (mid) => document.getElementById(`m-${mid}`);

/**
 * @param {HTMLElement} item
 * @param {Message} message
 * @param {Message} [was] what it shows until now
 * @param {string} [language] the room's
 */
export function fillItem(item, message, was, language = "") {
  const { author, mid } = message;
  item.id = `m-${mid}`;
  Object.assign(item.dataset, {
    mid,
    author: author.id,
    kind: author.kind,
    role: author.role,
    text: message.message,
    key: message.key ?? "",
  });
  slot(item, "author").textContent = author.name;
  const avatar = slot(item, "avatar");
  avatar.dataset.hue = String(hueOf(author.id, author.hue));
  avatar.textContent = letterOf(author.name);
  const badge = slot(item, "badge");
  badge.textContent = badgeOf(author);
  badge.hidden = !badge.textContent;
  /** @type {HTMLTimeElement} */ (slot(item, "time")).dateTime = message.at;
  const link = slot(item, "permalink");
  link.setAttribute("href", permalinkLike(link, mid));
  slot(item, "edited").hidden = !message.edited_at;
  const report = /** @type {HTMLAnchorElement | null} */ (item.querySelector(".message__report"));
  if (report) report.search = `?mid=${mid}`;
  const reply = /** @type {HTMLAnchorElement} */ (slot(item, "reply"));
  reply.hidden = !message.reply_to;
  reply.dataset.mid = message.reply_to ?? "";
  reply.setAttribute("href", permalinkLike(link, message.reply_to ?? ""));
  if (was?.html !== message.html) {
    const body = slot(item, "body");
    const found = languageOf(message.message, language);
    body.replaceChildren(safeFragment(message.html));
    if (found === null) body.removeAttribute("lang");
    else body.lang = found;
  }
  if (!sameCounts(was?.reactions, message.reactions)) fillReactions(item, message.reactions ?? {});
  localiseTime(item);
}

/**
 * What a reply shows of the message that it answers.
 * @param {HTMLElement} item
 * @param {string} author empty where there is nobody to name
 * @param {string} text
 */
export function fillAnswered(item, author, text) {
  slot(item, "answered").textContent = author;
  slot(item, "excerpt").textContent = text;
}

/**
 * The message that the server rendered here.
 * @param {HTMLElement} item
 * @returns {Message}
 */
export function readItem(item) {
  const { mid = "", author = "", kind = "", role = "", text = "", key = "" } = item.dataset;
  const reply = slot(item, "reply");
  const counted = /** @type {NodeListOf<HTMLElement>} */ (slot(item, "reactions").querySelectorAll(".reaction"));
  return {
    mid,
    at: /** @type {HTMLTimeElement} */ (slot(item, "time")).dateTime,
    message: text,
    html: slot(item, "body").innerHTML,
    author: {
      name: slot(item, "author").textContent ?? "",
      kind,
      role,
      id: author,
      hue: Number(slot(item, "avatar").dataset.hue),
    },
    key,
    reply_to: reply.hidden ? undefined : reply.dataset.mid,
    edited_at: slot(item, "edited").hidden ? undefined : "edited",
    reactions: Object.fromEntries(
      Array.from(counted, ({ dataset }) => [dataset.reaction ?? "", Number(dataset.count)]),
    ),
  };
}

/** @param {HTMLElement} item */
export function localiseTime(item) {
  const time = /** @type {HTMLTimeElement} */ (slot(item, "time"));
  const moment = new Date(time.dateTime);
  time.textContent = short.format(moment);
  // By a title a pointer learns it; css/message.css shows it to the keyboard.
  time.title = exact.format(moment);
  item.dataset.exact = time.title;
}

/** @param {HTMLElement} item @param {Record<string, number>} reactions */
function fillReactions(item, reactions) {
  const list = slot(item, "reactions");
  const counted = Object.entries(reactions).filter(([, count]) => count > 0);
  list.hidden = !counted.length;
  list.replaceChildren(
    ...counted.map(([reaction, count]) => {
      const entry = document.createElement("li");
      const chip = document.createElement("span");
      entry.className = "reaction";
      Object.assign(entry.dataset, { reaction, count });
      chip.className = "chip";
      chip.textContent = `${reaction} ${count}`;
      entry.append(chip);
      return entry;
    }),
  );
}

/** @param {Record<string, number> | undefined} one @param {Record<string, number> | undefined} other */
const sameCounts = (one, other) => JSON.stringify(one ?? {}) === JSON.stringify(other ?? {});

/** @param {Author} author */
function badgeOf({ kind, role }) {
  if (kind === "guest") return gettext("guest");
  if (kind === "bot") return gettext("bot");
  if (role === "owner") return gettext("owner");
  return role === "moderator" ? gettext("moderator") : "";
}

/** The permanent address of a message, from that of another. @param {Element} link @param {string} mid */
const permalinkLike = (link, mid) => (link.getAttribute("href") ?? "").replace(/[^/]*\/$/, `${mid}/`);

/** @param {HTMLElement} item @param {string} name */
function slot(item, name) {
  return /** @type {HTMLElement} */ (item.querySelector(`.message__${name}`));
}

// @ts-check
import { safeFragment } from "../lib/safe_html.js";

/** @import { Author, Message } from "../lib/types.js" */

// One message's element, made by chat/_message.html: there for the server, and blank in a <template> for us.

const today = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const otherDay = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

/** @param {string} mid */
export const findItem = (mid) => document.getElementById(`m-${mid}`);

/**
 * @param {HTMLElement} item
 * @param {Message} message
 * @param {Message} [was] what it shows until now
 */
export function fillItem(item, message, was) {
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
  const badge = slot(item, "badge");
  badge.textContent = badgeOf(author);
  badge.hidden = !badge.textContent;
  /** @type {HTMLTimeElement} */ (slot(item, "time")).dateTime = message.at;
  const link = slot(item, "permalink");
  link.setAttribute("href", (link.getAttribute("href") ?? "").replace(/[^/]*\/$/, `${mid}/`));
  slot(item, "edited").hidden = !message.edited_at;
  const report = /** @type {HTMLAnchorElement | null} */ (item.querySelector(".message__report"));
  if (report) report.search = `?mid=${mid}`;
  const reply = /** @type {HTMLAnchorElement} */ (slot(item, "reply"));
  reply.hidden = !message.reply_to;
  reply.setAttribute("href", `#m-${message.reply_to ?? ""}`);
  if (was?.html !== message.html) slot(item, "body").replaceChildren(safeFragment(message.html));
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
    author: { name: slot(item, "author").textContent ?? "", kind, role, id: author },
    key,
    reply_to: reply.hidden ? undefined : reply.getAttribute("href")?.slice("#m-".length),
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
  const isToday = moment.toDateString() === new Date().toDateString();
  time.textContent = (isToday ? today : otherDay).format(moment);
  time.title = exact.format(moment);
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
  if (kind !== "user") return kind;
  return role === "owner" || role === "moderator" ? role : "";
}

/** @param {HTMLElement} item @param {string} name */
function slot(item, name) {
  return /** @type {HTMLElement} */ (item.querySelector(`.message__${name}`));
}

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
 */
export function fillItem(item, message) {
  const { author } = message;
  item.id = `m-${message.mid}`;
  Object.assign(item.dataset, {
    mid: message.mid,
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
  slot(item, "edited").hidden = !message.edited_at;
  const reply = /** @type {HTMLAnchorElement} */ (slot(item, "reply"));
  reply.hidden = !message.reply_to;
  reply.setAttribute("href", `#m-${message.reply_to ?? ""}`);
  slot(item, "body").replaceChildren(safeFragment(message.html));
  localiseTime(item);
}

/**
 * The message that the server rendered here. Its HTML stays where it is: only an event brings another.
 * @param {HTMLElement} item
 * @returns {Message}
 */
export function readItem(item) {
  const { mid = "", author = "", kind = "", role = "", text = "", key = "" } = item.dataset;
  const reply = slot(item, "reply");
  return {
    mid,
    at: /** @type {HTMLTimeElement} */ (slot(item, "time")).dateTime,
    message: text,
    html: "",
    author: { name: slot(item, "author").textContent ?? "", kind, role, id: author },
    key,
    reply_to: reply.hidden ? undefined : reply.getAttribute("href")?.slice("#m-".length),
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

/** @param {Author} author */
function badgeOf({ kind, role }) {
  if (kind !== "user") return kind;
  return role === "owner" || role === "moderator" ? role : "";
}

/** @param {HTMLElement} item @param {string} name */
function slot(item, name) {
  return /** @type {HTMLElement} */ (item.querySelector(`.message__${name}`));
}

// @ts-check
import { dayOf, goesOn, startsDay } from "../lib/grouping.js";
import { pageLanguage } from "../lib/words.js";

/** @import { Message } from "../lib/types.js" */

const thisYear = new Intl.DateTimeFormat(pageLanguage(), { weekday: "long", day: "numeric", month: "long" });
const otherYear = new Intl.DateTimeFormat(pageLanguage(), { dateStyle: "full" });
const relative = new Intl.RelativeTimeFormat(pageLanguage(), { numeric: "auto" });
// A timer may be late, and a computer asleep: look a moment after midnight, and whenever somebody looks.
const AFTER_MIDNIGHT_MS = 1000;

/**
 * How a message stands after the one before it: as the first of its day, or as going on with what its author said.
 * @param {HTMLElement} item
 * @param {Message} message
 * @param {Message} [previous]
 */
export function arrange(item, message, previous) {
  item.classList.toggle("message--goes-on", goesOn(message, previous));
  const heading = /** @type {HTMLElement | null} */ (item.querySelector(".message__day"));
  if (!startsDay(message, previous)) heading?.remove();
  else if (heading) nameDay(heading, message.at);
  else item.prepend(newHeading(message.at));
}

/** Name the days of a list anew as soon as they are called otherwise. @param {HTMLElement} list */
export function renameAtMidnight(list) {
  let today = new Date().toDateString();
  const look = () => {
    if (today === new Date().toDateString()) return;
    today = new Date().toDateString();
    for (const time of list.querySelectorAll(".message__day > time")) {
      nameDay(/** @type {HTMLElement} */ (time.parentElement), /** @type {HTMLTimeElement} */ (time).dateTime);
    }
  };
  const wait = () => {
    const midnight = new Date();
    midnight.setHours(24, 0, 0, 0);
    setTimeout(() => (look(), wait()), midnight.getTime() - Date.now() + AFTER_MIDNIGHT_MS);
  };
  document.addEventListener("visibilitychange", look);
  wait();
}

/** @param {string} at */
function newHeading(at) {
  const heading = document.createElement("h2");
  heading.className = "message__day";
  heading.append(document.createElement("time"));
  nameDay(heading, at);
  return heading;
}

/** @param {HTMLElement} heading @param {string} at */
function nameDay(heading, at) {
  const time = /** @type {HTMLTimeElement} */ (heading.firstElementChild);
  time.dateTime = at;
  time.textContent = nameOf(new Date(at));
}

/** @param {Date} moment */
function nameOf(moment) {
  const yesterday = new Date();
  yesterday.setDate(yesterday.getDate() - 1);
  const day = dayOf(moment.toISOString());
  if (day === new Date().toDateString()) return asTitle(relative.format(0, "day"));
  if (day === yesterday.toDateString()) return asTitle(relative.format(-1, "day"));
  return (moment.getFullYear() === new Date().getFullYear() ? thisYear : otherYear).format(moment);
}

/** @param {string} words */
const asTitle = (words) => words.charAt(0).toLocaleUpperCase(pageLanguage()) + words.slice(1);

// @ts-check
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { byId } from "./page.js";
import { authorsShown, letterSign } from "./people_here.js";
import { closeLikeMenu } from "./popdown.js";

/** @import { Connection } from "../lib/connection.js" */
/** @import { Person } from "./people_here.js" */

/**
 * Says how many are here, as long as we hear of it; and who, where the room shows that.
 * @param {Connection} connection
 * @param {(name: string) => void} [chosen] somebody is meant
 * @returns {() => string[]} who is here, as far as that is shown
 */
export function showPresence(connection, chosen) {
  const presence = byId("presence");
  const details = /** @type {HTMLDetailsElement} */ (presence.querySelector("details"));
  const [plain, summary] = /** @type {NodeListOf<HTMLElement>} */ (presence.querySelectorAll(".presence__count"));
  const list = /** @type {HTMLElement} */ (presence.querySelector(".presence__names"));
  const rest = /** @type {HTMLElement} */ (presence.querySelector(".presence__rest"));
  /** @type {string[]} */
  let here = [];
  let unnamed = 0;

  const fill = () => {
    const people = new Map(authorsShown().reverse().map((person) => [person.name, person]));
    const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset.name;
    list.replaceChildren(...here.map((name) => entry(people.get(name) ?? { name }, chosen)));
    if (focused !== undefined) /** @type {HTMLElement | null} */ (list.querySelector(`[data-name="${CSS.escape(focused)}"]`))?.focus();
    rest.hidden = !unnamed;
    const count = inDigits(unnamed);
    rest.textContent = interpolate(ngettext("and %(count)s more", "and %(count)s more", unnamed), { count });
  };
  connection.addEventListener("presence", (event) => {
    const { participants, viewers, names } = /** @type {CustomEvent} */ (event).detail;
    const words = inWords(participants, viewers);
    here = Array.isArray(names) ? names : [];
    unnamed = Math.max(0, participants - here.length);
    plain.textContent = here.length ? "" : words;
    summary.textContent = here.length ? words : "";
    details.hidden = !here.length;
    if (details.open) fill();
    presence.hidden = !words;
  });
  connection.addEventListener("state", () => {
    if (connection.state !== "connected") presence.hidden = true;
  });
  details.addEventListener("toggle", () => details.open && fill());
  list.addEventListener("click", ({ target }) => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (target).closest("button"));
    if (!button) return;
    details.open = false;
    chosen?.(button.dataset.name ?? "");
  });
  closeLikeMenu(details);
  return () => here;
}

/** @param {number} participants @param {number} viewers */
function inWords(participants, viewers) {
  const words = [
    Number.isInteger(participants)
      ? interpolate(ngettext("%(count)s here", "%(count)s here", participants), { count: inDigits(participants) })
      : "",
    viewers > 0
      ? interpolate(ngettext("%(count)s watching", "%(count)s watching", viewers), { count: inDigits(viewers) })
      : "",
  ];
  return words.filter(Boolean).join(" · ");
}

/** @param {Person} person @param {((name: string) => void)} [chosen] */
function entry(person, chosen) {
  const item = document.createElement("li");
  const line = document.createElement(chosen ? "button" : "span");
  const name = document.createElement("bdi");
  line.className = "presence__person";
  if (line instanceof HTMLButtonElement) {
    line.type = "button";
    line.title = interpolate(gettext("Name %(name)s in a message"), { name: person.name });
    line.dataset.name = person.name;
  }
  name.textContent = person.name;
  line.append(letterSign(person), name);
  item.append(line);
  return item;
}

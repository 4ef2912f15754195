// @ts-check
import { endsInCode } from "../lib/code_spans.js";
import { mentionIn, mentionOf } from "../lib/mentions.js";
import { gettext } from "../lib/words.js";
import { byId } from "./page.js";
import { authorsShown, letterSign } from "./people_here.js";

/** @import { Source } from "./completion.js" */
/** @import { Person } from "./people_here.js" */

const MOST = 8;

/**
 * Offers the names of those who spoke on this page, and of those who are here where the room shows that.
 * @param {() => string[]} namesHere
 * @param {string} me whom nobody needs to be offered
 * @returns {Source}
 */
export function mentionOffers(namesHere, me) {
  return (before) => {
    const mention = mentionIn(before);
    if (!mention || endsInCode(before)) return null;
    const { from, query, lead } = mention;
    const offers = find(query, namesHere(), me).map((person) => {
      const insert = mentionOf(person.name);
      // What is written differs from the name where that has a space in it.
      const more = insert.slice(1) === person.name ? undefined : insert;
      return { insert: `${lead}${insert} `, text: person.name, sign: letterSign(person), more };
    });
    return { from, label: gettext("People to name"), offers };
  };
}

/** @param {string} query @param {string[]} here @param {string} me @returns {Person[]} */
function find(query, here, me) {
  const people = authorsShown();
  const known = new Set([...people.map(({ name }) => name), myName()]);
  const all = [...people, ...here.filter((name) => !known.has(name)).map((name) => ({ name, id: undefined }))];
  const wanted = fold(query);
  /** @param {Person} person */
  const rank = ({ name }) => {
    const folded = fold(name);
    if (folded.startsWith(wanted)) return 0;
    return folded.split(/[\s_.-]/).some((word) => word.startsWith(wanted)) ? 1 : folded.includes(wanted) ? 2 : 3;
  };
  return all
    .filter(({ name, id }) => id !== me && mentionOf(name))
    .map((person) => ({ person, rank: rank(person) }))
    .filter((each) => each.rank < 3)
    .sort((one, other) => one.rank - other.rank)
    .slice(0, MOST)
    .map(({ person }) => person);
}

/** Under which name one is among those who are here. */
function myName() {
  const blank = /** @type {HTMLTemplateElement} */ (byId("outgoing-template")).content;
  return blank.querySelector(".message__author")?.textContent ?? "";
}

/** @param {string} text */
const fold = (text) => text.normalize("NFKC").toLowerCase();

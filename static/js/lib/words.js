// @ts-check

/**
 * What is said, in the page's language. The catalogue (chat/words.py) is a script of its own, loaded before; without it
 * everything is said as it is written here. `makemessages` finds what is said by the names of these functions.
 *
 * @typedef {{ gettext(text: string): string, ngettext(one: string, many: string, count: number): string,
 *   pgettext(context: string, text: string): string }} Catalogue
 */

/** @returns {Catalogue | undefined} */
const catalogue = () => /** @type {any} */ (globalThis).django;

/** @param {string} text @returns {string} */
export const gettext = (text) => catalogue()?.gettext(text) ?? text;

/** @param {string} context what kind of word it is @param {string} text @returns {string} */
export const pgettext = (context, text) => catalogue()?.pgettext(context, text) ?? text;

/** @param {string} one @param {string} many @param {number} count @returns {string} */
export const ngettext = (one, many, count) => catalogue()?.ngettext(one, many, count) ?? (count === 1 ? one : many);

/**
 * Put values where a sentence names them: `%(name)s`.
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export const interpolate = (text, values) =>
  text.replace(/%\((\w+)\)s/gu, (whole, name) => (name in values ? String(values[name]) : whole));

/** The language of the page, for `Intl`. */
export const pageLanguage = () => globalThis.document?.documentElement.lang || undefined;

/** A number as it is written in the page's language. @param {number} value */
export const inDigits = (value) => new Intl.NumberFormat(pageLanguage()).format(value);

// @ts-check

const MOST_CHARS = 80;

/**
 * The start of a text on one line, as chat/templatetags/excerpts.py has it.
 * @param {string} text
 * @param {number} [most] characters
 */
export function excerpt(text, most = MOST_CHARS) {
  const line = text.trim().split(/\s+/u).join(" ");
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most).join("").trimEnd()}…`;
}

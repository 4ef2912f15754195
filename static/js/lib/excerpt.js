// @ts-check

const MOST_CHARS = 80;

/**
 * The start of a text on one line, as chat/templatetags/excerpts.py has it.
 * @param {string} text
 */
export function excerpt(text) {
  const line = text.trim().split(/\s+/u).join(" ");
  const characters = [...line];
  return characters.length <= MOST_CHARS ? line : `${characters.slice(0, MOST_CHARS).join("").trimEnd()}…`;
}

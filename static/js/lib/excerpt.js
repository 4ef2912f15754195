// @ts-check

const MOST_CHARS = 80;
const SIGNS = /^> ?|(?<![*`\\])(\*\*?|`)(?![\s*`])([^*`\n]+)(?<!\s)\1(?![*`])/gmu;

/**
 * The start of a text on one line, without the signs that only say how it is to look, as chat/templatetags/excerpts.py
 * has it.
 * @param {string} text
 * @param {number} [most] characters
 */
export function excerpt(text, most = MOST_CHARS) {
  const words = text.replace(SIGNS, "$2") || text;
  const line = words.trim().split(/\s+/u).join(" ");
  const characters = [...line];
  return characters.length <= most ? line : `${characters.slice(0, most).join("").trimEnd()}…`;
}

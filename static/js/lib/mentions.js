// @ts-check

// As chat/render.py recognises a mention: "@" where no word or address runs into it, and a name without spaces.
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{N}_.+-]{0,62}[\p{L}\p{N}_+])?/u;
// Where words have no spaces between them one is put there.
const BEING_WRITTEN = /(?:^|[^\p{L}\p{N}_@./]|([\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}ー]))([@＠])([\p{L}\p{N}_.+-]*)$/u;

/** How somebody is mentioned, as far as their name can be; empty where it cannot. @param {string} name */
export function mentionOf(name) {
  const [found] = name.normalize("NFC").replace(/^@+/u, "").match(NAME) ?? [];
  return found ? `@${found}` : "";
}

/**
 * The mention that is being written at the end of a text.
 * @param {string} before
 * @returns {{ from: number, query: string, lead: string } | null} where it begins, what of the name is there, and what
 *   must come before it
 */
export function mentionIn(before) {
  const match = before.match(BEING_WRITTEN);
  if (!match) return null;
  const [, word, , query] = match;
  return { from: before.length - query.length - 1, query, lead: word ? " " : "" };
}

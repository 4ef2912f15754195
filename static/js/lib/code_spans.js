// @ts-check

// What the server shows as it was typed: fenced blocks, `spans`, and what a backslash precedes.
const AS_TYPED = /(?:^|\n) {0,3}(`{3,}|~{3,})[^\n]*(?:\n[\s\S]*?)??(?:\n {0,3}\1[`~]*[ \t]*(?=\n|$)|$)|\\[\s\S]|(?<!`)(`+)(?!`)[\s\S]*?(?<!`)\2(?!`)/g;

/**
 * A text with all that is no code in it replaced.
 * @param {string} text
 * @param {(part: string) => string} replace
 */
export function outsideCode(text, replace) {
  let result = "";
  let at = 0;
  for (const match of text.matchAll(AS_TYPED)) {
    result += replace(text.slice(at, match.index)) + match[0];
    at = match.index + match[0].length;
  }
  return result + replace(text.slice(at));
}

/** Whether what is written at the end of a text is, or may become, code. @param {string} before */
export function endsInCode(before) {
  let rest = "";
  const closed = before.replace(/(?:^|\n) {0,3}(?:`{3,}|~{3,})[^\n]*$/, "`"); // a fence that is just being opened
  outsideCode(closed, (part) => ((rest = part), part));
  if (rest.includes("`")) return true;
  // A fence that nothing closes goes on to the end.
  const fences = before.match(/(?:^|\n) {0,3}(?:`{3,}|~{3,})/g) ?? [];
  return fences.length % 2 === 1;
}

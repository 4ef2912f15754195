// @ts-check

const HUES = 12;
const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/**
 * The colour of somebody's letter, as chat/hues.py has it: from 0 to 11, what they chose, or FNV-1a of their key.
 * @param {string} key
 * @param {number} [chosen]
 */
export function hueOf(key, chosen) {
  if (chosen !== undefined) return chosen % HUES;
  let value = OFFSET;
  for (const byte of new TextEncoder().encode(key)) value = Math.imul(value ^ byte, PRIME) >>> 0;
  return value % HUES;
}

/** The first character of a name, and what belongs to it. @param {string} name */
export function letterOf(name) {
  const [first = ""] = name.replace(/^@+/u, "").match(/^\P{M}\p{M}*/u) ?? [];
  return first.toUpperCase();
}

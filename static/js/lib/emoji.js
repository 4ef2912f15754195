// @ts-check
import { outsideCode } from "./code_spans.js";
import { keep, readKept } from "./kept.js";
import { pageLanguage } from "./words.js";

/**
 * `names` are what stands between colons, `words` what it is also found by, `title` what it is called in the page's
 * language.
 * @typedef {{ emoji: string, group: string, names: string[], words: string[], title: string }} Emoji
 */

const NAMED = /(?<![A-Za-z0-9_/])[:：]([a-z0-9_+-]+)[:：](?![A-Za-z0-9_])/g;
const BEING_WRITTEN = /(?<![A-Za-z0-9_/])[:：]([\p{L}\p{N}_+-]{1,30})$/u;
const LATEST = "engawa:emoji";
const MOST_LATEST = 24;
const place = () => localStorage;

/** @type {Record<string, () => Promise<{ default: string }>>} */
const WORDS = {
  "ja": () => import("./emoji_words_ja.js"),
  "zh-hans": () => import("./emoji_words_zh-hans.js"),
  "zh-hant": () => import("./emoji_words_zh-hant.js"),
};

/** @type {Promise<Emoji[]> | undefined} */
let loading;
/** @type {Map<string, string> | undefined} */
let byName;

/** All of them, in their groups' order. They are loaded when they are first needed. @returns {Promise<Emoji[]>} */
export function loadEmoji() {
  loading ??= load().catch((error) => {
    loading = undefined; // there was no network: another time
    throw error;
  });
  return loading;
}

async function load() {
  const words = WORDS[(pageLanguage() ?? "").toLowerCase()];
  const [names, own] = await Promise.all([import("./emoji_names.js"), words?.()]);
  const lines = own?.default.split("\n") ?? [];
  let group = "";
  /** @type {Emoji[]} */
  const all = [];
  for (const line of names.default.split("\n")) {
    if (/^#[a-z]/.test(line)) {
      group = line.slice(1);
      continue;
    }
    const [named, found = ""] = line.split("|");
    const [emoji, ...called] = named.split(" ");
    const [title = called[0].replaceAll("_", " "), ...more] = lines[all.length]?.split(" ") ?? [];
    all.push({ emoji, group, names: called, words: [...found.split(" "), title, ...more].filter(Boolean), title });
  }
  byName = new Map(all.flatMap(({ emoji, names: called }) => called.map((name) => [name, emoji])));
  return all;
}

/** Whether a text names emoji, as far as can be told before they are loaded. @param {string} text */
export const namesEmoji = (text) => text.search(NAMED) >= 0;

/** Whether they are here. */
export const hasEmoji = () => byName !== undefined;

/** A text with emoji for `:names:`, but for those in code. They must be here. @param {string} text */
export const withEmoji = (text) =>
  outsideCode(text, (part) => part.replace(NAMED, (whole, name) => byName?.get(name) ?? whole));

/**
 * The name that is being written at the end of a text: two letters at least, or one of a script whose letters are words.
 * @param {string} before
 */
export function emojiIn(before) {
  const query = before.match(BEING_WRITTEN)?.[1] ?? "";
  const isEnough = query.length > 1 || /[^\x00-\x7f]/.test(query);
  return isEnough ? { from: before.length - query.length - 1, query } : null;
}

/**
 * Those that are called like it, the likeliest first.
 * @param {Emoji[]} all
 * @param {string} query
 * @param {number} most
 */
export function findEmoji(all, query, most) {
  const wanted = fold(query).replace(/[\s-]+/g, (gap) => (gap === "-" ? "-" : "_"));
  /** @param {Emoji} one */
  const rank = ({ names, words }) => {
    if (names.includes(wanted)) return 0;
    if (names.some((name) => name.startsWith(wanted))) return 1;
    if (names.some((name) => name.includes(`_${wanted}`))) return 2;
    if (words.some((word) => fold(word).startsWith(wanted))) return 3;
    return words.some((word) => fold(word).includes(wanted)) ? 4 : 5;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((each) => each.rank < 5)
    .sort((first, second) => first.rank - second.rank)
    .slice(0, most)
    .map(({ one }) => one);
}

/** Which one took last, the latest first. @returns {string[]} */
export const latestEmoji = () => (readKept(place, LATEST) ?? "").split(" ").filter(Boolean);

/** @param {string} emoji */
export function tookEmoji(emoji) {
  const latest = [emoji, ...latestEmoji().filter((other) => other !== emoji)];
  keep(place, LATEST, latest.slice(0, MOST_LATEST).join(" "));
}

// Hiragana finds katakana, wide letters narrow ones.
/** @param {string} text */
const fold = (text) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u3041-\u3096]/g, (kana) => String.fromCharCode(kana.charCodeAt(0) + 0x60));

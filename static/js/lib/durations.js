// @ts-check
import { pageLanguage } from "./words.js";

const UNITS = /** @type {const} */ ([["second", 1, 100], ["minute", 60, 100], ["hour", 3600, 48], ["day", 86_400, Infinity]]);

/**
 * A length of time in the largest unit that does not make it coarse, rounded up: "45 sec", "10 min", "24 hr".
 * @param {number} seconds
 * @param {"short" | "long"} [style]
 */
export function inWords(seconds, style = "short") {
  const [unit, length] = UNITS.find(([, size, most]) => Math.ceil(seconds / size) < most) ?? UNITS[3];
  return inUnits(Math.ceil(seconds / length), unit, style);
}

/** @param {number} count @param {string} unit @param {"short" | "long"} [style] */
export const inUnits = (count, unit, style = "short") =>
  new Intl.NumberFormat(pageLanguage(), { style: "unit", unit, unitDisplay: style }).format(count);

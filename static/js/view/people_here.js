// @ts-check
import { letterOf } from "../lib/hues.js";

/** @typedef {{ name: string, id?: string, hue?: string }} Person */

/** Who spoke on this page, whoever spoke last first. @returns {Person[]} */
export function authorsShown() {
  const people = new Map();
  const items = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#log > .message"));
  for (const item of [...items].reverse()) {
    const name = item.querySelector(".message__author")?.textContent ?? "";
    const { author: id = "" } = item.dataset;
    const { hue } = /** @type {HTMLElement} */ (item.querySelector(".message__avatar")).dataset;
    if (name && !people.has(id)) people.set(id, { name, id, hue });
  }
  return [...people.values()];
}

/**
 * Somebody's letter in their colour, where that is known.
 * @param {Person} person
 */
export function letterSign({ name, hue }) {
  const sign = document.createElement("span");
  sign.className = "letter";
  sign.setAttribute("aria-hidden", "true");
  sign.textContent = letterOf(name);
  if (hue) sign.dataset.hue = hue;
  return sign;
}

// @ts-check
import { letterOf } from "../lib/hues.js";
import { byId } from "./page.js";

const NAMES = ".site-nav__name bdi, .guest summary bdi, .message--outgoing .message__author";

/** Say as whom one writes: perhaps another tab took another name. @param {string} name */
export function showMyName(name) {
  const { content } = /** @type {HTMLTemplateElement} */ (byId("outgoing-template"));
  for (const page of [document, content]) {
    for (const said of page.querySelectorAll(NAMES)) said.textContent = name;
  }
  const letter = document.querySelector(".site-nav__name .letter");
  if (letter) letter.textContent = letterOf(name);
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById("guest-name"));
  // What somebody is typing there stays.
  if (field) field.defaultValue = name;
}

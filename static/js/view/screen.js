// @ts-check
import { gettext } from "../lib/words.js";

const AWAY_MS = 4000;

/** A button for the whole screen, where there is such a thing. @param {HTMLElement} button */
export function offerFullscreen(button) {
  if (!document.fullscreenEnabled) return;
  const show = () => {
    button.textContent = document.fullscreenElement ? gettext("Leave full screen") : gettext("Full screen");
  };
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else await document.documentElement.requestFullscreen({ navigationUI: "hide" });
    } catch (error) {
      console.info("Engawa: this browser keeps the screen to itself.", error);
    }
  });
  document.addEventListener("fullscreenchange", show);
  show();
}

/** The screen does not go dark as long as this page is on it, where a browser lets a page say so. */
export function stayAwake() {
  const ask = async () => {
    if (document.visibilityState === "hidden") return;
    try {
      await navigator.wakeLock?.request("screen");
    } catch (error) {
      console.info("Engawa: the screen may go dark by itself.", error);
    }
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}

/** Whether somebody is there, as far as their pointer and keys tell, in `data-is-alone`. @param {HTMLElement} element */
export function noticePeople(element) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const noticed = () => {
    clearTimeout(timer);
    element.removeAttribute("data-is-alone");
    timer = setTimeout(() => element.setAttribute("data-is-alone", ""), AWAY_MS);
  };
  for (const type of ["pointermove", "pointerdown", "keydown"]) addEventListener(type, noticed, { passive: true });
  noticed();
}

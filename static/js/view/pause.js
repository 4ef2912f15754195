// @ts-check
import { gettext, inDigits, interpolate } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { Following } from "../lib/following.js" */

/**
 * The button that pauses what comes, and says how much waits. `P` presses it among the messages; the space bar does
 * where nothing else takes it.
 * @param {Following} following
 * @param {() => void} followed called when it goes on
 */
export function showPause(following, followed) {
  const button = byId("pause");
  const count = byId("waiting");
  const log = byId("scroller");

  const toggle = async () => {
    if (!following.isPaused) return following.pause();
    try {
      await following.follow();
      followed();
    } catch (error) {
      console.warn("Engawa: what waits could not be read yet.", error);
    }
  };
  following.addEventListener("waiting", () => {
    const { isPaused, isFull, waiting } = following;
    button.setAttribute("aria-pressed", String(isPaused));
    document.body.toggleAttribute("data-is-paused", isPaused);
    const words = isFull ? gettext("more than %(count)s waiting") : gettext("%(count)s waiting");
    count.textContent = isPaused && waiting ? interpolate(words, { count: inDigits(waiting) }) : "";
  });
  button.addEventListener("click", toggle);
  addEventListener("keydown", (event) => {
    const { key, target, repeat, ctrlKey, metaKey, altKey, isComposing, defaultPrevented } = event;
    if (repeat || ctrlKey || metaKey || altKey || isComposing || defaultPrevented) return;
    const isAmongMessages = target instanceof Node && log.contains(target);
    if (key === " " ? target !== document.body : key.toLowerCase() !== "p" || !isAmongMessages) return;
    event.preventDefault();
    toggle();
  });
  button.hidden = false;
}

// @ts-check
import { inWords } from "../lib/durations.js";
import { gettext, interpolate } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { Outbox } from "../lib/outbox.js" */
/** @import { Standing } from "../lib/standing.js" */

/**
 * Says beside the field why one may not write just now, or how long what is written waits, and closes the field where
 * nothing can be written at all. What is in it stays.
 * @param {Standing} standing
 * @param {Outbox} outbox
 */
export function showComposerState(standing, outbox) {
  const form = /** @type {HTMLFormElement} */ (byId("composer"));
  const field = /** @type {HTMLTextAreaElement} */ (form.elements.namedItem("message"));
  const send = /** @type {HTMLButtonElement} */ (form.querySelector(".composer__send"));
  const why = /** @type {HTMLElement} */ (form.querySelector("[data-why]"));
  const countdown = /** @type {HTMLElement} */ (form.querySelector("[data-countdown]"));
  /** When slow mode lets us write again. */
  let slowUntil = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;

  const waiting = () => {
    const { pause } = outbox;
    if (pause && pause.until > slowUntil) return pause;
    return { reason: gettext("Slow mode: one message at a time."), until: slowUntil };
  };
  const show = () => {
    clearTimeout(timer);
    const { refusal } = standing;
    const { reason, until } = waiting();
    const seconds = Math.ceil((until - Date.now()) / 1000);
    const isWaiting = !refusal && seconds > 0;
    const words = refusal || (isWaiting ? reason : "");
    field.readOnly = send.disabled = Boolean(refusal);
    // A status is read out whenever it is written, be it the same; the seconds are only for the eye.
    if (why.textContent !== words) why.textContent = words;
    countdown.textContent = isWaiting ? interpolate(gettext("%(time)s left"), { time: inWords(seconds) }) : "";
    if (isWaiting) timer = setTimeout(show, until - Date.now() - (seconds - 1) * 1000);
  };

  outbox.addEventListener("posted", () => {
    const { slow_seconds: slow } = standing.about;
    slowUntil = slow && !standing.governs ? Date.now() + slow * 1000 : 0;
    show();
  });
  outbox.addEventListener("change", show);
  const rule = () => `${standing.refusal} ${standing.about.slow_seconds} ${standing.governs}`;
  let ruled = rule();
  standing.addEventListener("change", () => {
    if (!standing.about.slow_seconds || standing.governs) slowUntil = 0;
    // What waited under another rule may be sent now, or never.
    if (rule() !== ruled && !standing.rights.muted) outbox.resume();
    ruled = rule();
    show();
  });
  show();
}

// @ts-check
import { inWords } from "../lib/durations.js";
import { gettext, inDigits, interpolate, ngettext } from "../lib/words.js";
import { byId } from "./page.js";

/** @import { Connection, State } from "../lib/connection.js" */

/** @type {Record<State, () => string>} */
const WORDS = {
  connecting: () => gettext("Connecting…"),
  connected: () => gettext("Live"),
  reconnecting: () => gettext("Reconnecting…"),
  offline: () => gettext("Offline"),
  archived: () => gettext("Archived"),
  closed: () => gettext("Closed."),
};
const CAUGHT_UP_MS = 6_000;
const LONG_MS = 5_000;
const AWAY = new Set(["connecting", "reconnecting", "offline"]);

/**
 * Says in words how the connection is, and in `data-state` and `data-makeshift` for styles and tests; and where it has
 * been away for long, for how long, which nobody needs to have read out every second.
 * @param {Connection} connection
 */
export function showStatus(connection) {
  const status = byId("status");
  const since = document.getElementById("status-since");
  let awaySince = performance.now();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let clock;
  const count = () => {
    const away = performance.now() - awaySince;
    if (since) since.textContent = away < LONG_MS ? "" : inWords(Math.floor(away / 1000));
  };
  const show = () => {
    const { state, isMakeshift, reason } = connection;
    const wasAway = clock !== undefined;
    clearTimeout(timer);
    status.textContent = state === "connected" && isMakeshift ? gettext("Live (without WebSocket)") : WORDS[state]();
    if (state === "closed") status.textContent = interpolate(gettext("Closed. %(reason)s"), { reason });
    document.body.dataset.state = state;
    document.body.toggleAttribute("data-makeshift", isMakeshift);
    if (AWAY.has(state) === wasAway) return;
    clearInterval(clock);
    awaySince = performance.now();
    clock = wasAway ? undefined : setInterval(count, 1000);
    if (since) since.textContent = "";
  };
  connection.addEventListener("state", show);
  connection.addEventListener("caught-up", (event) => {
    const missed = /** @type {CustomEvent} */ (event).detail;
    const words = ngettext("Caught up, %(count)s missed", "Caught up, %(count)s missed", missed);
    status.textContent = interpolate(words, { count: inDigits(missed) });
    clearTimeout(timer);
    timer = setTimeout(show, CAUGHT_UP_MS);
  });
  show();
}

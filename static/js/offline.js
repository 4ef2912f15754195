// @ts-check
import { Backoff } from "./lib/backoff.js";

// The page that is shown where the network is away: it looks whether that is over, and then is the page that was wanted.

const LEAST_MS = 2000;
const backoff = new Backoff();

async function look() {
  try {
    const answer = await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (answer.ok) {
      location.reload();
      return;
    }
  } catch {
    // Not yet.
  }
  setTimeout(look, LEAST_MS + backoff.next());
}

addEventListener("online", () => location.reload());
document.getElementById("again")?.addEventListener("click", () => location.reload());
setTimeout(look, LEAST_MS);

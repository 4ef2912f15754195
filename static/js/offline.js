// @ts-check
import { Backoff } from "./lib/backoff.js";

// The page that is shown where the network is away: it looks whether that is over, and then is the page that was wanted.

const LEAST_MS = 2000;
const backoff = new Backoff();

// Who came to this page by its own address wanted no other.
const goOn = () => (location.pathname === "/offline/" ? location.replace("/") : location.reload());

async function look() {
  try {
    const answer = await fetch("/health/live", { cache: "no-store", signal: AbortSignal.timeout(10_000) });
    if (answer.ok) {
      goOn();
      return;
    }
  } catch {
    // Not yet.
  }
  setTimeout(look, LEAST_MS + backoff.next());
}

addEventListener("online", goOn);
document.getElementById("again")?.addEventListener("click", goOn);
setTimeout(look, LEAST_MS);

// @ts-check
import { gettext } from "../lib/words.js";
import { byId, fetchPage } from "./page.js";

/**
 * Which part of a room a page has, to what is here: what comes before it, after it, or instead of it.
 * @typedef {"before" | "after" | "all"} Side
 */

const LINKS = { before: "earlier", after: "later" };
// Before the reader is quite there.
const MARGIN = "200px 0px";

/** The links to earlier and later messages: they load in place what they lead to, also when they come into view. */
export class Pager {
  #base = byId("room").dataset.page ?? "";
  #abort = new AbortController();
  /** @type {"before" | "after" | null} */
  #loading = null;
  #watcher;
  #take;
  #during;

  /**
   * @param {Element} view
   * @param {(side: Side, page: Document) => void} take
   * @param {(load: (signal: AbortSignal) => Promise<void>) => Promise<void>} during run a load; the one before is given up
   */
  constructor(view, take, during) {
    this.#take = take;
    this.#during = during;
    this.#watcher = new IntersectionObserver(
      (seen) => {
        for (const { isIntersecting, target } of seen) if (isIntersecting) this.#load(sideOf(target));
      },
      { root: view, rootMargin: MARGIN },
    );
    for (const id of Object.values(LINKS)) {
      const place = byId(id);
      this.#watcher.observe(place);
      place.addEventListener("click", (event) => {
        if (!(/** @type {Element} */ (event.target).closest("a"))) return;
        event.preventDefault();
        this.#load(sideOf(place));
      });
    }
  }

  /** Whether a page has more on a side. @param {Document} page @param {"before" | "after"} side */
  static hasMore(page, side) {
    return Boolean(page.getElementById(LINKS[side])?.querySelector("a"));
  }

  /** Whether messages that are let go of can be loaded again. */
  get canLoad() {
    return Boolean(this.#base);
  }

  /** Lead to what is beyond a message; null: nothing is. @param {"before" | "after"} side @param {string | null} mid */
  show(side, mid) {
    const place = byId(LINKS[side]);
    const link = place.querySelector("a");
    if (mid === null || !this.#base) return mid === null && link?.remove();
    const href = mid ? `${this.#base}?${side}=${mid}` : (link?.getAttribute("href") ?? "");
    if (link) return link.getAttribute("href") !== href && link.setAttribute("href", href);
    if (!href) return;
    const made = document.createElement("a");
    made.rel = side === "before" ? "prev" : "next";
    made.target = "_self";
    made.textContent = side === "before" ? gettext("Earlier messages") : gettext("Later messages");
    made.setAttribute("href", href);
    place.append(made);
    this.#ask(place);
  }

  /** Give up what is being loaded. */
  abort() {
    this.#abort.abort();
  }

  /** The same, for what is loaded now. */
  restart() {
    this.abort();
    this.#abort = new AbortController();
    return this.#abort.signal;
  }

  /** @param {"before" | "after"} side */
  async #load(side) {
    const place = byId(LINKS[side]);
    const link = place.querySelector("a");
    if (this.#loading || !link) return;
    this.#loading = side;
    try {
      await this.#during(async (signal) => {
        const page = await fetchPage(link.href, signal);
        signal.throwIfAborted();
        this.#take(side, page);
      });
    } catch (error) {
      // The link is still there to try again.
      if (/** @type {Error} */ (error).name !== "AbortError") {
        console.warn("Engawa: more messages could not be loaded.", error);
      }
      return;
    } finally {
      this.#loading = null;
    }
    for (const id of Object.values(LINKS)) this.#ask(byId(id));
  }

  // Observing anew asks again, in case it is still in view.
  /** @param {Element} place */
  #ask(place) {
    this.#watcher.unobserve(place);
    this.#watcher.observe(place);
  }
}

/** @param {Element} place @returns {"before" | "after"} */
const sideOf = ({ id }) => (id === LINKS.before ? "before" : "after");

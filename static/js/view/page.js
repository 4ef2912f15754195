// @ts-check

// A page that does not come by then is not waited for: whoever wants it can try again.
const MOST_MS = 20_000;

/**
 * An element that our templates promise to have.
 * @param {string} id
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`This page has no #${id}.`);
  return element;
}

/**
 * A copy of a <template>'s first element.
 * @param {string} id
 */
export function cloneTemplate(id) {
  const template = /** @type {HTMLTemplateElement} */ (byId(id));
  return /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
}

/** Where the room as it is now can be read: this page may be that of one message. */
export const ownPage = () => byId("room").dataset.page ?? location.pathname;

/** The permanent address of a message. @param {string} mid */
export const permalink = (mid) => `${byId("log").dataset.permalinks}${mid}/`;

/**
 * Another of this site's pages, parsed and not run. Where it is refused, the error has the status as its `cause`.
 * @param {string} url
 * @param {AbortSignal} [signal]
 */
export async function fetchPage(url, signal) {
  // In the language of this one, where it is an address that said which.
  const headers = { Accept: "text/html", "Accept-Language": document.documentElement.lang };
  const timeout = AbortSignal.timeout(MOST_MS);
  signal = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const answer = await fetch(url, { cache: "no-cache", headers, signal });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}.`, { cause: answer.status });
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

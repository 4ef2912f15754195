// @ts-check
import { retryAfter } from "./stream.js";
import { gettext, interpolate } from "./words.js";

/** @import { Frame, Outgoing } from "./types.js" */

const ANSWER_MS = 30_000;
// What these say is passing, whoever says it.
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

/**
 * Acts by HTTP, for where there is no WebSocket, and answers as a WebSocket would: with a `posted`, `held`, `done` or
 * `error` frame. Rejects where there was no answer, or none of ours.
 */
export class HttpDoor {
  #postUrl;
  #commandsUrl;
  #token;
  #look;

  /**
   * @param {{ postUrl: string, commandsUrl: string }} urls
   * @param {string} token that the page was given against forged requests
   * @param {() => Promise<{ token: string, me: string }>} look what the page would say if it were opened now
   */
  constructor({ postUrl, commandsUrl }, token, look) {
    this.#postUrl = postUrl;
    this.#commandsUrl = commandsUrl;
    this.#token = token;
    this.#look = look;
  }

  /**
   * @param {Outgoing} outgoing
   * @param {string} me
   * @returns {Promise<Frame>}
   */
  post = ({ key, message, reply_to, as }, me) => {
    // What was tried before may only be repeated as the same person, and a stream does not say who we are.
    return this.#ask(this.#postUrl, { message, key, reply_to }, me, Boolean(as));
  };

  /**
   * @param {Frame} frame with a key
   * @param {string} me
   * @returns {Promise<Frame>}
   */
  command = (frame, me) => this.#ask(this.#commandsUrl, frame, me);

  /**
   * @param {string} url
   * @param {{ key?: string, [field: string]: unknown }} content
   * @param {string} me
   * @param {boolean} [looksFirst]
   * @returns {Promise<Frame>}
   */
  async #ask(url, content, me, looksFirst = false) {
    let isMe = true;
    const renew = async () => {
      const now = await this.#look();
      this.#token = now.token;
      isMe = now.me === me;
    };
    if (looksFirst) await renew();
    let answer = isMe ? await this.#send(url, content) : null;
    // The token may be older than the session.
    if (answer?.status === 403 && !isJson(answer)) {
      await renew();
      answer = isMe ? await this.#send(url, content) : null;
    }
    return { ...(answer ? await read(answer) : somebodyElse()), key: content.key };
  }

  /** @param {string} url @param {object} content */
  #send(url, content) {
    return fetch(url, {
      method: "POST",
      headers: { "Accept": "application/json", "Content-Type": "application/json", "X-CSRFToken": this.#token },
      body: JSON.stringify(content),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  }
}

const somebodyElse = () => ({
  type: "error",
  detail: gettext("You are somebody else now than when this page was opened. Reload it before you send this."),
});

/** @param {Response} answer @returns {Promise<Frame>} */
async function read(answer) {
  const { status } = answer;
  const said = isJson(answer) ? await answer.json() : {};
  if (status === 201 && said.mid) return { type: "posted", ...said };
  if (status === 202 && said.held) return { type: "held", detail: said.detail };
  if (said.done) return { type: "done" };
  // Neither a yes nor a no: somebody stands between us and the server.
  if (status < 400) throw new Error(`${answer.url} answered ${status}.`);
  const isPassing = PASSING.has(status) || status >= 500;
  return {
    type: "error",
    code: status === 500 ? "server.error" : undefined,
    detail: interpolate(gettext("The server did not take it (%(status)s)."), { status }),
    retryable: isPassing || undefined,
    retry_after: isPassing ? retryAfter(answer) : undefined,
    ...said.error,
  };
}

/** @param {Response} answer */
function isJson(answer) {
  return answer.headers.get("Content-Type")?.startsWith("application/json") ?? false;
}

// @ts-check
import { retryAfter } from "./stream.js";

/** @import { Frame, Outgoing } from "./types.js" */

const ANSWER_MS = 30_000;
// What these say is passing, whoever says it.
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

/**
 * Posts by HTTP, for where there is no WebSocket, and answers as a WebSocket would: with a `posted` or `error` frame.
 */
export class HttpPost {
  #url;
  #token;
  #look;

  /**
   * @param {string} url
   * @param {string} token that the page was given against forged requests
   * @param {() => Promise<{ token: string, me: string }>} look what the page would say if it were opened now
   */
  constructor(url, token, look) {
    this.#url = url;
    this.#token = token;
    this.#look = look;
  }

  /**
   * Rejects where there was no answer, or none of ours.
   * @param {Outgoing} message
   * @param {string} me
   * @returns {Promise<Frame>}
   */
  post = async (message, me) => {
    const { key } = message;
    const { as } = message;
    let isMe = true;
    const renew = async () => {
      const now = await this.#look();
      this.#token = now.token;
      isMe = now.me === me;
    };
    // What was tried before may only be repeated as the same person, and a stream does not say who we are.
    if (as) await renew();
    let answer = isMe ? await this.#ask(message) : null;
    // The token may be older than the session.
    if (answer?.status === 403 && !isJson(answer)) {
      await renew();
      answer = isMe ? await this.#ask(message) : null;
    }
    return { ...(answer ? await read(answer) : SOMEBODY_ELSE), key };
  };

  /** @param {Outgoing} message */
  #ask({ key, message, reply_to }) {
    return fetch(this.#url, {
      method: "POST",
      headers: { "Accept": "application/json", "Content-Type": "application/json", "X-CSRFToken": this.#token },
      body: JSON.stringify({ message, key, reply_to }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
  }
}

const SOMEBODY_ELSE = {
  type: "error",
  detail: "You are somebody else now than when this page was opened. Reload it before you send this.",
};

/** @param {Response} answer @returns {Promise<Frame>} */
async function read(answer) {
  const { status } = answer;
  const said = isJson(answer) ? await answer.json() : {};
  if (status === 201 && said.mid) return { type: "posted", ...said };
  // Neither a yes nor a no: somebody stands between us and the server.
  if (status < 400) throw new Error(`${answer.url} answered ${status}.`);
  const isPassing = PASSING.has(status) || status >= 500;
  return {
    type: "error",
    code: status === 500 ? "server.error" : undefined,
    detail: `The server did not take it (${status}).`,
    retryable: isPassing || undefined,
    retry_after: isPassing ? retryAfter(answer) : undefined,
    ...said.error,
  };
}

/** @param {Response} answer */
function isJson(answer) {
  return answer.headers.get("Content-Type")?.startsWith("application/json") ?? false;
}

// @ts-check
import { Backoff } from "./backoff.js";
import { newKey } from "./keys.js";
import { OutboxStore } from "./outbox_store.js";
import { gettext, inDigits, interpolate } from "./words.js";

/** @import { Connection } from "./connection.js" */
/** @import { Frame, Message, Outgoing } from "./types.js" */

/**
 * A message on its way, as it is shown. `sent`: the server has it, and the log will show it in a moment; `held`: it
 * has it, and a moderator must see it first.
 * @typedef {{ key: string, message: string, at: number, fate: "sending" | "sent" | "held" | "failed",
 *   note: string }} OnItsWay
 */

/**
 * Posts without the connection's help. Rejects where no answer came.
 * @typedef {(message: Outgoing, me: string) => Promise<Frame>} Post
 */

const MOST = 50;
const ANSWER_MS = 30_000;
// Another tab's message is that tab's to send. One that is still there after so long has lost its tab.
const ADOPT_AFTER_MS = 10_000;
// What was meant for a conversation of yesterday is sent when its author says so.
const STALE_MS = 12 * 3600 * 1000;
// A fault of the server's may be a fault with this very message, and others wait behind it.
const MOST_FAULTS = 5;
// Nobody tells what became of a message that was held, unless it comes to stand in the room.
const ASK_AFTER_HELD_MS = 60_000;
// Why one may not write just now, where that is for the room to say.
const RULES = new Set(["muted", "slow_mode"]);
// A mute without an end ends when somebody says so.
const UNTIL_TOLD_SECONDS = 24 * 3600;

/**
 * What was written and is not in the log yet. It is sent, one after the other and in the order of writing, until the
 * server has answered; the server makes one message of all that come with one key, so sending too often does no harm.
 *
 * Dispatches `change`, and `posted` when the server took one.
 */
export class Outbox extends EventTarget {
  #connection;
  #store;
  #post;
  #backoff = new Backoff();
  /** The keys of what this tab sends. @type {Set<string>} */
  #ours = new Set();
  /** What the server has, and as what number of the log. @type {Map<string, Outgoing & { id: number }>} */
  #delivered = new Map();
  /** @type {Map<string, number>} */
  #faults = new Map();
  /** What we wait for an answer to. @type {{ key: string } | null} */
  #attempt = null;
  /** What was held, and is to be asked after. @type {Set<string>} */
  #asksAfter = new Set();
  /** Why nothing is sent at the moment, in the server's words. `isFirm`: a new connection changes nothing. */
  #pause = { code: "", reason: "", until: 0, isFirm: false };
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Connection} connection
   * @param {string} room
   * @param {string} me
   * @param {Post} post for a connection that only listens
   */
  constructor(connection, room, me, post) {
    super();
    this.#connection = connection;
    this.#post = post;
    this.#store = new OutboxStore(room, me, (key) => this.#changedElsewhere(key));
    for (const { key } of this.#store.messages) this.#ours.add(key);
    connection.addEventListener("state", () => this.#turned());
    connection.addEventListener("answer", (event) => this.#answered(/** @type {CustomEvent} */ (event).detail));
    connection.addEventListener("event", () => this.#passed());
    setInterval(() => this.#askAfterHeld(), ASK_AFTER_HELD_MS);
  }

  /**
   * Why nothing is sent before a moment (in milliseconds) that the server named, if anything waits for that.
   * @returns {{ reason: string, until: number } | null}
   */
  get pause() {
    const { reason, until, isFirm } = this.#pause;
    return this.#timer && isFirm && this.#waiting() ? { reason, until } : null;
  }

  /** @returns {OnItsWay[]} in the order of writing */
  get messages() {
    /** @param {Outgoing} message @param {OnItsWay["fate"]} fate @param {string} note */
    const shown = ({ key, message, at }, fate, note) => ({ key, message, at, fate, note });
    return [
      ...[...this.#delivered.values()].map((message) => shown(message, "sent", "")),
      ...this.#store.messages.map((message) => {
        if (message.failed) return shown(message, "failed", message.failed);
        if (message.held) return shown(message, "held", message.held);
        return shown(message, "sending", this.#noteOn(message.key));
      }),
    ].sort((one, other) => one.at - other.at);
  }

  /**
   * Send a text, now or as soon as it can be. Throws an Error with a sentence for people where too much is waiting.
   * @param {string} text
   * @param {string} [reply_to]
   */
  add(text, reply_to) {
    if (this.#store.messages.length >= MOST) {
      const words = gettext("%(count)s messages are waiting already. This one is still here; send it when they are gone.");
      throw new Error(interpolate(words, { count: inDigits(MOST) }));
    }
    this.#queue({ key: newKey(), message: text, reply_to });
  }

  /** Send one that failed once more. @param {string} key */
  retry(key) {
    const message = this.#store.get(key);
    if (!message?.failed) return;
    this.#faults.delete(key);
    this.#queue({ key, message: message.message, reply_to: message.reply_to });
  }

  /** @param {string} key */
  discard(key) {
    this.#forget(key);
    this.#tell();
  }

  /** A message is shown: perhaps one of ours. @param {Message} message */
  seen({ key = "", author }) {
    const mine = this.#store.get(key) ?? this.#delivered.get(key);
    if (!mine || author.id !== (mine.as ?? this.#connection.me)) return;
    if (this.#attempt?.key === key) this.dispatchEvent(new Event("posted"));
    this.#forget(key);
    this.#tell();
    this.#next();
  }

  /** Who may write, and how often, is different now: what waited for that is tried at once. */
  resume() {
    if (this.#timer && RULES.has(this.#pause.code)) this.#goOn();
  }

  /** All that the server has is shown now. */
  settle() {
    this.#delivered.clear();
    this.#tell();
  }

  /** @param {{ key: string, message: string, reply_to?: string }} message */
  #queue(message) {
    const last = this.#store.messages.at(-1)?.at ?? 0;
    this.#store.put({ ...message, at: Math.max(Date.now(), last + 1) });
    this.#ours.add(message.key);
    this.#tell();
    if (this.#connection.state !== "connected") this.#connection.hurry();
    this.#next();
  }

  #next() {
    const { state, me, reason } = this.#connection;
    const message = this.#waiting() ?? this.#heldToAskAfter(me);
    if (!message) return;
    if (state === "closed") return message.held ? undefined : this.#fail(message, reason);
    if (this.#attempt || this.#timer || state !== "connected") return;
    if (!message.held && Date.now() - message.at > STALE_MS) {
      this.#fail(message, gettext("This could not be sent for a long time."));
    } else if (message.as && message.as !== me) {
      // Another author's key is another key: it could be posted twice.
      this.#fail(message, gettext("You are somebody else now than when this was sent. It may have arrived."));
    } else {
      this.#send(message, me);
    }
  }

  /** What is to be sent next. */
  #waiting() {
    return this.#store.messages.find(({ key, failed, held }) => !failed && !held && this.#ours.has(key));
  }

  /** @param {string} me */
  #heldToAskAfter(me) {
    return this.#store.messages.find(({ key, held, as }) => held && as === me && this.#asksAfter.has(key));
  }

  // The same key again: the server says what became of it.
  #askAfterHeld() {
    if (this.#connection.state !== "connected" || document.visibilityState === "hidden") return;
    for (const { key, held } of this.#store.messages) if (held && this.#ours.has(key)) this.#asksAfter.add(key);
    this.#next();
  }

  /** @param {Outgoing} message @param {string} me */
  #send(message, me) {
    const { key, message: text, reply_to } = message;
    const attempt = (this.#attempt = { key });
    this.#asksAfter.delete(key);
    const unless = (/** @type {() => void} */ act) => () => this.#attempt === attempt && act();
    this.#store.put({ ...message, as: me });
    this.#tell();
    if (this.#connection.isMakeshift) {
      const again = unless(() => this.#wait(gettext("There is no answer from the server.")));
      this.#post(message, me).then((answer) => this.#answered(answer), again);
    } else if (this.#connection.send({ type: "post", message: text, key, reply_to })) {
      setTimeout(unless(() => this.#connection.drop()), ANSWER_MS);
    } else {
      this.#attempt = null;
    }
  }

  /** @param {Frame} answer */
  #answered(answer) {
    // A frame that could not even be read is answered without its key.
    const key = answer.key ?? (answer.code?.startsWith("frame.") ? this.#attempt?.key : undefined);
    if (key === undefined) return;
    if (this.#attempt?.key === key) this.#attempt = null;
    const message = this.#store.get(key);
    if (message && answer.type === "posted") {
      this.#forget(key);
      this.#backoff.reset();
      if (answer.id > this.#connection.cursor) this.#delivered.set(key, { ...message, id: answer.id });
      this.#tell();
      if (!message.held) this.dispatchEvent(new Event("posted"));
    } else if (message && answer.type === "held") {
      this.#backoff.reset();
      this.#store.put({ ...message, held: answer.detail });
      this.#tell();
    } else if (message && !message.failed) {
      this.#refused(message, answer);
    }
    this.#next();
  }

  /** @param {Outgoing} message @param {Frame} error */
  #refused(message, error) {
    const { key } = message;
    if (error.code === "server.error") this.#faults.set(key, (this.#faults.get(key) ?? 0) + 1);
    const mayPass = error.retryable || error.code?.startsWith("limit.");
    const isMuted = error.code === "muted";
    const seconds = error.retry_after ?? (isMuted ? UNTIL_TOLD_SECONDS : undefined);
    if (mayPass && (this.#faults.get(key) ?? 0) < MOST_FAULTS) this.#wait(error.detail, seconds, error.code);
    else this.#fail(message, error.detail);
  }

  /** @param {Outgoing} message @param {string} why */
  #fail(message, why = "") {
    this.#store.put({ ...message, held: undefined, failed: why || gettext("The server did not take it.") });
    this.#tell();
    this.#next();
  }

  /** @param {string} reason @param {number} [seconds] as many as the server asked for @param {string} [code] */
  #wait(reason, seconds, code = "") {
    this.#attempt = null;
    const wait = seconds === undefined ? this.#backoff.next() : Math.min(seconds, UNTIL_TOLD_SECONDS) * 1000;
    this.#pause = { code, reason, until: Date.now() + wait, isFirm: seconds !== undefined };
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#goOn(), wait);
    this.#tell();
  }

  #goOn() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#tell();
    this.#next();
  }

  // Whatever was being asked over the last call is asked again over the next one.
  #turned() {
    const { state } = this.#connection;
    this.#attempt = null;
    this.#tell();
    if (state === "connected") this.#askAfterHeld();
    if (state === "closed" || (state === "connected" && !(this.#timer && this.#pause.isFirm))) this.#goOn();
  }

  // Not everything comes back as a message: it may have been deleted since.
  #passed() {
    const { cursor } = this.#connection;
    const shown = [...this.#delivered.values()].filter(({ id }) => id <= cursor);
    if (!shown.length) return;
    shown.forEach(({ key }) => this.#delivered.delete(key));
    this.#tell();
  }

  /** @param {string} key */
  #changedElsewhere(key) {
    const message = this.#store.get(key);
    if (!message && this.#attempt?.key === key) this.#attempt = null;
    if (message && !message.failed && !this.#ours.has(key)) setTimeout(() => this.#adopt(key), ADOPT_AFTER_MS);
    this.#tell();
    this.#next();
  }

  /** @param {string} key */
  #adopt(key) {
    this.#ours.add(key);
    this.#next();
  }

  /** @param {string} key */
  #forget(key) {
    if (this.#store.get(key)) this.#store.remove(key);
    this.#delivered.delete(key);
    this.#ours.delete(key);
    this.#asksAfter.delete(key);
    this.#faults.delete(key);
    if (this.#attempt?.key === key) this.#attempt = null;
  }

  /** @param {string} key */
  #noteOn(key) {
    if (this.#attempt?.key === key) return gettext("Sending…");
    if (this.#connection.state !== "connected") return gettext("Waiting for a connection…");
    const { reason } = this.#pause;
    if (!this.#timer || !reason) return gettext("Sending…");
    return interpolate(gettext("Waiting… %(why)s"), { why: reason });
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

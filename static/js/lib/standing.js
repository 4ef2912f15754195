// @ts-check

import { gettext, interpolate, pageLanguage } from "./words.js";

/** @import { About, Rights, RoomEvent } from "./types.js" */

const ROOM_EVENTS = new Set(["room.changed", "room.archived", "room.reopened", "message.pinned", "message.unpinned"]);
const GOVERNING = new Set(["owner", "moderator"]);
const RANKS = ["none", "member", "moderator", "owner"];
// A mute that is over is over for the server first.
const AFTER_MUTE_MS = 500;
// A timer cannot wait longer.
const LONGEST_MS = 2 ** 31 - 1;

/**
 * How things stand: what is known of the room, and what one may do in it.
 *
 * Dispatches `change`.
 */
export class Standing extends EventTarget {
  /** @type {Rights} */
  rights;
  /** @type {About} */
  about;
  #kind;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #muteEnds;

  /**
   * @param {Rights} rights
   * @param {About} about
   * @param {string} kind whether one is a `user` or a `guest`
   */
  constructor(rights, about, kind) {
    super();
    this.rights = rights;
    this.about = about;
    this.#kind = kind;
    this.#await(rights.muted?.until);
  }

  get may() {
    return this.rights.may;
  }

  /** Whether slow mode and filters do not concern them. */
  get governs() {
    return GOVERNING.has(this.rights.role);
  }

  /** Whether one may take measures against somebody with `role`. @param {string} role */
  outranks(role) {
    return this.may.moderate && RANKS.indexOf(this.rights.role) > RANKS.indexOf(role);
  }

  /** Why one may not write, as a sentence; empty where one may. */
  get refusal() {
    const { about, rights } = this;
    if (rights.may.post) return "";
    if (about.archived) return gettext("This room is archived: it can be read, and nothing is added.");
    if (rights.muted) return mutedUntil(rights.muted.until);
    return this.#refusalByLevel || gettext("You can read here, but not write.");
  }

  /** @param {Rights} rights */
  renew({ role, may, muted }) {
    this.rights = { role, may, muted };
    this.#await(muted?.until);
    this.#tell();
  }

  /** @param {Partial<About>} about */
  learn(about) {
    this.about = { ...this.about, ...about };
    this.#tell();
  }

  /** @param {RoomEvent} event */
  apply(event) {
    if (!ROOM_EVENTS.has(event.type)) return;
    this.learn(toldBy(event));
  }

  get #refusalByLevel() {
    const { posting } = this.about;
    const isMember = this.rights.role !== "none";
    if (this.governs) return "";
    if (posting === "moderators") return gettext("Only moderators write here.");
    if (posting === "members" && !isMember) return gettext("Only members write here.");
    if (posting === "signed-in" && this.#kind === "guest") return gettext("Sign in to write here.");
    return "";
  }

  // The end of a mute may be told by nobody: everybody knew it before.
  /** @param {string | null} [until] */
  #await(until) {
    clearTimeout(this.#muteEnds);
    if (!until) return;
    const wait = Math.max(0, Date.parse(until) - Date.now()) + AFTER_MUTE_MS;
    if (wait > LONGEST_MS) return;
    this.#muteEnds = setTimeout(() => {
      const post = !this.about.archived && !this.#refusalByLevel;
      this.renew({ role: this.rights.role, may: { ...this.rights.may, post, react: !this.about.archived } });
    }, wait);
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

/**
 * What an event says of the room.
 * @param {RoomEvent} event
 * @returns {Partial<About>}
 */
export function toldBy({ type, id, room, at, mid, ...fields }) {
  switch (type) {
    case "room.changed":
      return fields;
    case "room.archived":
      return { archived: true };
    case "room.reopened":
      return { archived: false };
    case "message.pinned":
      return { pinned: mid };
    case "message.unpinned":
      return { pinned: null };
    default:
      return {};
  }
}

const time = new Intl.DateTimeFormat(pageLanguage(), { timeStyle: "short" });
const day = new Intl.DateTimeFormat(pageLanguage(), { dateStyle: "medium", timeStyle: "short" });

/** @param {string | null} until */
function mutedUntil(until) {
  if (!until) return gettext("You are muted here: you can read, and not write.");
  const moment = new Date(until);
  const isToday = moment.toDateString() === new Date().toDateString();
  return interpolate(gettext("You are muted until %(time)s."), { time: (isToday ? time : day).format(moment) });
}

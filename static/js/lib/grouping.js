// @ts-check

/** @import { Message } from "./types.js" */

const TOGETHER_MS = 5 * 60_000;

/** The day of a moment where the reader is. @param {string} at RFC 3339 */
export const dayOf = (at) => new Date(at).toDateString();

/** Whether nothing of the same day stands before it. @param {Message} message @param {Message} [previous] */
export const startsDay = (message, previous) => !previous || dayOf(previous.at) !== dayOf(message.at);

/**
 * Whether a message goes on where its author had just been speaking, so that who it is need not be shown again.
 * @param {Message} message
 * @param {Message} [previous]
 */
export function goesOn(message, previous) {
  if (!previous || message.reply_to || message.edited_at || startsDay(message, previous)) return false;
  const [one, other] = [message.author, previous.author];
  const isSame = one.id === other.id && one.name === other.name && one.kind === other.kind && one.role === other.role;
  return isSame && Math.abs(Date.parse(message.at) - Date.parse(previous.at)) < TOGETHER_MS;
}

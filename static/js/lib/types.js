// @ts-check
// The shapes that travel; docs/protocol.md says what they mean. Nothing here runs.

/**
 * `hue` is from 0 to 11, where they chose one.
 * @typedef {{ name: string, kind: string, role: string, id: string, hue?: number }} Author
 */

/**
 * A message as a reader sees it. `mid` is a ULID: as strings, mids sort by age. `reactions` is how many, by reaction.
 * @typedef {{ mid: string, at: string, message: string, html: string, author: Author, key?: string, reply_to?: string,
 *   edited_at?: string, reactions?: Record<string, number> }} Message
 */

/**
 * An entry of a room's log; `id` is its number there. One of a type `message` or `message.edited` is a whole message;
 * one of `room.changed` has what is different.
 * @typedef {{ id: number, type: string, room: string, at: string, mid: string } & Partial<Message> & Partial<About>}
 *   RoomEvent
 */

/**
 * What any reader may know of a room. `pinned` is a mid.
 * @typedef {{ title: string, topic: string, language: string, visibility: string, posting: string,
 *   slow_seconds: number, shows_names: boolean, shows_typing: boolean, archived: boolean, pinned: string | null }} About
 */

/**
 * What somebody may do in a room. `muted` is there where they are, `until` null where that has no end.
 * @typedef {{ role: string, may: { post: boolean, react: boolean, moderate: boolean, govern: boolean },
 *   muted?: { until: string | null } }} Rights
 */

/** @typedef {{ type: string, [field: string]: any }} Frame */

/**
 * A message on its way to the server. `at` is when it was written, in milliseconds; `as` is whose name it was sent in,
 * if it was ever sent; `held` is what the server said where it waits for a moderator; `failed` is why it will not be
 * sent again by itself.
 * @typedef {{ key: string, message: string, at: number, reply_to?: string, as?: string, held?: string,
 *   failed?: string }} Outgoing
 */

/**
 * What is known on arrival: up to which number there were events by then, who one is, and, where the transport knows,
 * by which name, what one may do, and what there is to know of the room.
 * @typedef {{ head: number, me: string, name?: string, rights?: Rights, about?: About }} Welcome
 */

/**
 * What a transport tells the connection. `reached` says that somebody is there, `opened` that the room is. `expect`
 * says after how many seconds of silence it is to be taken for dead; until then it may be silent for ever. `lost` may
 * know in how many seconds the server wants to see us again. `resting`: nothing happens here for now; look again in so
 * many seconds. `refused` means that coming back is pointless, perhaps with the sentence that says why.
 * @typedef {{ reached?(): void, opened(welcome?: Welcome): void, expect(seconds: number): void,
 *   frame(frame: Frame): void, lost(seconds?: number): void, resting(seconds: number): void,
 *   refused(why?: string): void }} Line
 */

/**
 * One attempt at a connection. After `close` it reports nothing more. A transport that only listens has no `send`; it is
 * `isMakeshift` where it stands in for one that has.
 * @typedef {{ close(): void, readonly send?: (frame: Frame) => void, readonly isMakeshift?: boolean }} Call
 */

/** @typedef {(cursor: number, line: Line) => Call} Dial */

export {};

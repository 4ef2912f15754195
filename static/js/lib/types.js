// @ts-check
// The shapes that travel; docs/protocol.md says what they mean. Nothing here runs.

/** @typedef {{ name: string, kind: string, role: string, id: string }} Author */

/**
 * A message as a reader sees it. `mid` is a ULID: as strings, mids sort by age.
 * @typedef {{ mid: string, at: string, message: string, html: string, author: Author, key?: string, reply_to?: string,
 *   edited_at?: string }} Message
 */

/**
 * An entry of a room's log; `id` is its number there. One of a type `message` or `message.edited` is a whole message.
 * @typedef {{ id: number, type: string, room: string, at: string, mid: string } & Partial<Message>} RoomEvent
 */

/** @typedef {{ type: string, [field: string]: any }} Frame */

/**
 * A message on its way to the server. `at` is when it was written, in milliseconds; `as` is whose name it was sent in,
 * if it was ever sent; `failed` is why it will not be sent again by itself.
 * @typedef {{ key: string, message: string, at: number, reply_to?: string, as?: string, failed?: string }} Outgoing
 */

/**
 * What a transport tells the connection. `reached` says that somebody is there, `opened` that the room is: up to which
 * number it had events by then, and who one is, where the transport knows. `expect` says after how many seconds of
 * silence it is to be taken for dead; until then it may be silent for ever. `lost` may know in how many seconds the
 * server wants to see us again. `refused` means that coming back is pointless.
 * @typedef {{ reached?(): void, opened(welcome?: { head: number, me: string }): void, expect(seconds: number): void,
 *   frame(frame: Frame): void, lost(seconds?: number): void, refused(): void }} Line
 */

/**
 * One attempt at a connection. After `close` it reports nothing more. A transport that only listens has no `send`; it is
 * `isMakeshift` where it stands in for one that has.
 * @typedef {{ close(): void, readonly send?: (frame: Frame) => void, readonly isMakeshift?: boolean }} Call
 */

/** @typedef {(cursor: number, line: Line) => Call} Dial */

export {};

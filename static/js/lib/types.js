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
 * What a transport tells the connection. `expect` says after how many seconds of silence it is to be taken for dead;
 * until then it may be silent for ever. `refused` means that coming back is pointless.
 * @typedef {{ opened(): void, expect(seconds: number): void, frame(frame: Frame): void, lost(): void,
 *   refused(): void }} Line
 */

/**
 * One attempt at a connection. After `close` it reports nothing more. A transport that only listens has no `send`.
 * @typedef {{ close(): void, send?: (frame: Frame) => void }} Call
 */

/** @typedef {(cursor: number, line: Line) => Call} Dial */

export {};

// @ts-check

/** @import { Call, Dial, Frame, Line } from "./types.js" */

const HANDSHAKE_MS = 5_000;
const OPENING_MS = 12_000;
// How many failures before a WebSocket opens are enough to do without: one that hangs counts as two. Where one has
// worked before, it is rather the server that is away, or the network.
const ENOUGH = 2;
const ENOUGH_WHERE_IT_WORKED = 4;
const HANG = 2;
const AGAIN_SOON_MS = 1_000;
const AGAIN_MS = 180_000;

/**
 * Connects by WebSocket, and where none can be opened by a stream that stands in for it. While it does, a WebSocket is
 * tried again from time to time, and takes over when it opens.
 * @param {Dial} socket
 * @param {Dial} stream
 * @returns {Dial}
 */
export function withFallback(socket, stream) {
  const isPossible = "WebSocket" in globalThis;
  let hasWorked = false;
  let failures = 0;

  /** @type {Dial} */
  const bySocket = (cursor, line) => {
    let isProven = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let patience;
    /** @param {number} milliseconds */
    const wait = (milliseconds) => {
      clearTimeout(patience);
      patience = setTimeout(() => {
        call.close();
        failures += HANG;
        line.lost();
      }, milliseconds);
    };
    const prove = () => {
      clearTimeout(patience);
      isProven = hasWorked = true;
      failures = 0;
    };
    const call = socket(cursor, {
      ...line,
      reached: () => wait(OPENING_MS),
      opened(welcome) {
        prove();
        line.opened(welcome);
      },
      // Even an error came over a WebSocket.
      frame(frame) {
        prove();
        line.frame(frame);
      },
      lost(seconds) {
        clearTimeout(patience);
        if (!isProven) failures++;
        line.lost(seconds);
      },
      refused(why) {
        clearTimeout(patience);
        line.refused(why);
      },
    });
    wait(HANDSHAKE_MS);
    return {
      send: call.send,
      close() {
        clearTimeout(patience);
        call.close();
      },
    };
  };

  /** @type {Dial} */
  const byStream = (cursor, line) => {
    let reached = cursor;
    let isOpen = false;
    /** @type {Call | null} */
    let attempt = null;
    let hasTakenOver = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;

    const lose = (/** @type {number | undefined} */ seconds) => {
      // Neither way leads anywhere: the fault is elsewhere, and the better way is tried first again.
      if (!isOpen) failures = 0;
      line.lost(seconds);
    };
    const later = (milliseconds = AGAIN_MS) => {
      if (isPossible) timer = setTimeout(improve, milliseconds);
    };
    const improve = () => {
      attempt = bySocket(reached, {
        opened(welcome) {
          standIn.close();
          hasTakenOver = true;
          line.opened(welcome);
        },
        expect: (seconds) => hasTakenOver && line.expect(seconds),
        frame: (frame) => hasTakenOver && line.frame(frame),
        lost: (seconds) => (hasTakenOver ? line.lost(seconds) : later()),
        resting: (seconds) => hasTakenOver && line.resting(seconds),
        // Where the room is closed, the stream hears of it as well.
        refused: (why) => hasTakenOver && line.refused(why),
      });
    };
    const standIn = stream(cursor, {
      ...line,
      opened(welcome) {
        isOpen = true;
        clearTimeout(timer);
        later(hasWorked ? AGAIN_SOON_MS : AGAIN_MS);
        line.opened(welcome);
      },
      frame(frame) {
        if (Number.isInteger(frame.id)) reached = frame.id;
        line.frame(frame);
      },
      lost: lose,
    });
    timer = setTimeout(() => {
      standIn.close();
      lose(undefined);
    }, OPENING_MS);

    return {
      get send() {
        return hasTakenOver ? attempt?.send : undefined;
      },
      get isMakeshift() {
        return !hasTakenOver;
      },
      close() {
        clearTimeout(timer);
        standIn.close();
        attempt?.close();
      },
    };
  };

  return (cursor, line) => {
    const isEnough = failures >= (hasWorked ? ENOUGH_WHERE_IT_WORKED : ENOUGH);
    return isPossible && !isEnough ? bySocket(cursor, line) : byStream(cursor, line);
  };
}

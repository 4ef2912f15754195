// @ts-check

/** @import { Dial, Frame, Rights } from "./types.js" */

const SUBPROTOCOL = "engawa.v1";
// The server's close codes: below this "come back", from here on "stay away".
const STAY_AWAY = 4500;

/**
 * Connects by WebSocket.
 * @param {string} path
 * @returns {Dial}
 */
export function socketDial(path) {
  return (cursor, line) => {
    const url = new URL(path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("after", String(cursor));
    const socket = new WebSocket(url, SUBPROTOCOL);
    const closed = new AbortController();
    const { signal } = closed;

    socket.addEventListener("open", () => line.reached?.(), { signal });
    socket.addEventListener(
      "message",
      ({ data }) => {
        const frame = JSON.parse(data);
        if (frame.type !== "welcome") return line.frame(frame);
        const { head, you, about, heartbeat } = frame;
        line.opened({ head, me: you.id, name: you.name, rights: rightsIn(frame), about });
        line.expect(2 * heartbeat + 5);
      },
      { signal },
    );
    socket.addEventListener("close", ({ code }) => (code >= STAY_AWAY ? line.refused() : line.lost()), { signal });

    return {
      send: (frame) => socket.send(JSON.stringify(frame)),
      close() {
        closed.abort();
        socket.close();
      },
    };
  };
}

/** @param {Frame} welcome @returns {Rights | undefined} */
function rightsIn({ role, may, muted }) {
  return role && may ? { role, may, muted } : undefined;
}

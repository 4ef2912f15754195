// @ts-check
import { Connection } from "./lib/connection.js";
import { streamDial } from "./lib/stream.js";
import { showStatus } from "./view/connection_status.js";
import { MessageList } from "./view/message_list.js";
import { byId } from "./view/page.js";
import { showPresence } from "./view/presence.js";

// The watch page and the embed: the same room, read-only.

const list = new MessageList();
const { streamUrl } = byId("room").dataset;

if (streamUrl) {
  const cursor = Number(byId("log").dataset.cursor);
  const connection = new Connection(streamDial(streamUrl), cursor, () => list.reload());
  connection.addEventListener("event", (event) => list.apply(/** @type {CustomEvent} */ (event).detail));
  showStatus(connection);
  showPresence(connection);
  connection.start();
}

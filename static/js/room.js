// @ts-check
import { Connection } from "./lib/connection.js";
import { Requests } from "./lib/requests.js";
import { socketDial } from "./lib/socket.js";
import { enhanceComposer } from "./view/composer.js";
import { showStatus } from "./view/connection_status.js";
import { MessageList } from "./view/message_list.js";
import { MessageTools } from "./view/message_tools.js";
import { byId, fetchPage } from "./view/page.js";

// A room's page, for those who take part.

const { socketPath, me = "", mayModerate } = byId("room").dataset;

// A page of the past is a page: nothing moves there.
if (socketPath) {
  const cursor = Number(byId("log").dataset.cursor);
  const connection = new Connection(socketDial(socketPath), cursor, () => list.reload());
  const requests = new Requests(connection);
  const tools = new MessageTools(requests, me, mayModerate === "true");
  const list = new MessageList((item, message) => tools.offer(item, message));

  connection.addEventListener("event", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    list.apply(detail);
    if (detail.type === "room.changed") renewAbout();
  });
  showStatus(connection);
  if (document.getElementById("composer")) enhanceComposer(requests, () => list.follow());
  connection.start();
} else {
  new MessageList();
}

// Who may watch is something that people here must be able to rely on.
async function renewAbout() {
  try {
    const page = await fetchPage(location.pathname);
    byId("about").replaceWith(page.getElementById("about") ?? "");
  } catch (error) {
    console.warn("Engawa: what is said about the room could not be renewed.", error);
  }
}

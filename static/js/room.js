// @ts-check
import { Connection } from "./lib/connection.js";
import { withFallback } from "./lib/fallback.js";
import { HttpPost } from "./lib/http_post.js";
import { Outbox } from "./lib/outbox.js";
import { Requests } from "./lib/requests.js";
import { socketDial } from "./lib/socket.js";
import { streamDial } from "./lib/stream.js";
import { enhanceComposer } from "./view/composer.js";
import { showStatus } from "./view/connection_status.js";
import { MessageList } from "./view/message_list.js";
import { MessageTools } from "./view/message_tools.js";
import { showOutgoing } from "./view/outgoing_list.js";
import { byId, fetchPage } from "./view/page.js";
import { showPresence } from "./view/presence.js";

// A room's page, for those who take part.

const { slug = "", socketPath = "", streamUrl = "", postUrl = "", me = "", mayModerate } = byId("room").dataset;

// A page of the past is a page: nothing moves there.
if (socketPath) {
  const cursor = Number(byId("log").dataset.cursor);
  const dial = withFallback(socketDial(socketPath), streamDial(streamUrl));
  const connection = new Connection(dial, cursor, renew, me);
  const requests = new Requests(connection);
  const tools = new MessageTools(requests, me, mayModerate === "true");
  const outbox = new Outbox(connection, slug, me, new HttpPost(postUrl, tokenOf(document), lookAgain).post);
  const list = new MessageList((item, message) => {
    tools.offer(item, message);
    outbox.seen(message);
  });

  connection.addEventListener("event", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    list.apply(detail);
    if (detail.type === "room.changed") renewAbout();
  });
  connection.addEventListener("state", () => {
    if (connection.state === "connected" && connection.me !== me && navigator.cookieEnabled) sayWhoPosts();
  });
  showStatus(connection);
  showPresence(connection);
  if (document.getElementById("composer")) {
    showOutgoing(outbox);
    enhanceComposer(outbox, slug, me, () => list.follow());
  }
  connection.start();

  async function renew() {
    const head = await list.reload();
    outbox.settle();
    return head;
  }
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

// Another tab signed in or out, and the browser took this page along.
function sayWhoPosts() {
  const alert = document.getElementById("composer-error");
  if (alert) alert.textContent = "You are somebody else now than when this page was opened. Reload it to see who.";
}

async function lookAgain() {
  const page = await fetchPage(location.pathname);
  return { token: tokenOf(page), me: page.getElementById("room")?.dataset.me ?? "" };
}

/** @param {Document} page */
function tokenOf(page) {
  const field = /** @type {HTMLInputElement | null} */ (page.querySelector("#composer [name=csrfmiddlewaretoken]"));
  return field?.value ?? "";
}

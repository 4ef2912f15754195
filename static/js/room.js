// @ts-check
import { Connection } from "./lib/connection.js";
import { Draft } from "./lib/draft.js";
import { withFallback } from "./lib/fallback.js";
import { HttpDoor } from "./lib/http_door.js";
import { Lazy } from "./lib/lazy.js";
import { MyReactions } from "./lib/my_reactions.js";
import { Outbox } from "./lib/outbox.js";
import { Requests } from "./lib/requests.js";
import { socketDial } from "./lib/socket.js";
import { Standing } from "./lib/standing.js";
import { streamDial } from "./lib/stream.js";
import { gettext } from "./lib/words.js";
import { readAbout, showAbout } from "./view/about.js";
import { Announcer } from "./view/announcer.js";
import { Composer } from "./view/composer.js";
import { showComposerState } from "./view/composer_state.js";
import { showStatus } from "./view/connection_status.js";
import { watchEmbedLink } from "./view/embed_link.js";
import { complain, complainOfFetching } from "./view/feedback.js";
import { watchKeys } from "./view/keys_anywhere.js";
import { MessageList } from "./view/message_list.js";
import { MessageTools } from "./view/message_tools.js";
import { showOutgoing } from "./view/outgoing_list.js";
import { byId, fetchPage, ownPage } from "./view/page.js";
import { Pinned } from "./view/pinned.js";
import { closeLikeMenu } from "./view/popdown.js";
import { showPresence } from "./view/presence.js";
import { keepReadMark } from "./view/read_mark.js";
import { showRoomLinks } from "./view/room_links.js";

/** @import { Message, RoomEvent } from "./lib/types.js" */

// A room's page, for those who take part.

const { slug = "", socketPath, streamUrl = "", postUrl = "", commandsUrl = "" } = byId("room").dataset;
const { me = "", myIds = "", kind = "" } = byId("room").dataset;

watchEmbedLink();
closeLikeMenu(/** @type {HTMLDetailsElement} */ (byId("room-menu")));

// A page of the past is a page: nothing moves there.
if (socketPath) takePart(socketPath);
else new MessageList();

/** @param {string} path */
function takePart(path) {
  const cursor = Number(byId("log").dataset.cursor);
  const connection = new Connection(withFallback(socketDial(path), streamDial(streamUrl)), cursor, renew, me);
  const door = new HttpDoor({ postUrl, commandsUrl }, tokenOf(document), lookAgain);
  const standing = new Standing(readRights(document), readAbout(document), kind);
  const outbox = new Outbox(connection, slug, me, door.post);
  const requests = new Requests(connection, door.command);
  // Oneself, and the guest that one was before one signed up.
  const ids = new Set(myIds.split(" "));
  const isMine = (/** @type {Message} */ { author }) => ids.has(author.id);
  const mine = new MyReactions(slug, me);
  /** @type {MessageTools | undefined} */
  let tools;

  const list = new MessageList({
    shown(item, message) {
      tools?.shown(item, message);
      outbox.seen(message);
    },
    leaving: (item) => tools?.leaving(item),
  });
  new Announcer(list, isMine);
  if (kind === "user") keepReadMark(list, connection, requests, slug);
  const { scroller } = list;
  const typing = new Lazy(async () => (await import("./view/typing.js")).showTyping(connection, standing));
  const namesHere = showPresence(connection, (name) => composer.mention(name));
  const aids = new Lazy(() => import("./view/writing_aids.js"));
  const composer = new Composer(outbox, standing, new Draft(slug, me), {
    aids,
    sources: ({ sourcesFor }) => sourcesFor(namesHere, me),
    sent: () => scroller.follow(),
    up: () => tools?.keys.focusLast(),
    written: (text) => typing.here?.(text),
  });
  const room = {
    requests,
    standing,
    mine,
    isMine,
    scroller,
    namesHere,
    me,
    reactions: (byId("room").dataset.reactions ?? "").split(" ").filter(Boolean),
    answer: (/** @type {Message} */ message) => composer.answer(message),
    refocus: () => tools?.keys.focus(),
  };
  const acting = new Lazy(async () => new (await import("./view/acting.js")).Acting(room));
  tools = new MessageTools(acting, mine, isMine, (mid) => list.get(mid));
  watchKeys(() => acting.get().then(({ showKeys }) => showKeys(), complainOfFetching));
  list.showAll();
  byId("skip-to-newest").addEventListener("click", (event) => {
    event.preventDefault();
    tools?.keys.focusLast();
  });
  const pinned = new Pinned(
    (mid) => list.get(mid),
    (mid) => requests.ask({ type: "unpin", mid }).catch(complain),
  );

  connection.addEventListener("event", (event) => {
    const detail = /** @type {RoomEvent} */ (/** @type {CustomEvent} */ (event).detail);
    list.apply(detail);
    // Whether it is shown, too, depends on where one reads.
    if (detail.type === "message") outbox.seen(/** @type {Message} */ (detail));
    standing.apply(detail);
    if (detail.type === "message.edited") {
      for (const about of [pinned, composer, acting.here?.dialog]) about?.changed(/** @type {Message} */ (detail));
    }
    if (detail.type === "message.deleted") {
      for (const about of [composer, acting.here?.dialog]) about?.gone(detail.mid);
    }
    // Who only listens is told of the room, and not of what that means for them.
    if (detail.type.startsWith("room.") && connection.isMakeshift) renewRights();
  });
  list.addEventListener("renewed", (event) => {
    pinned.renewed(/** @type {CustomEvent} */ (event).detail);
    for (const about of [composer, acting.here?.dialog]) about?.renewed((mid) => list.get(mid));
  });
  connection.addEventListener("name", (event) => showMyName(/** @type {CustomEvent} */ (event).detail));
  connection.addEventListener("rights", (event) => standing.renew(/** @type {CustomEvent} */ (event).detail));
  connection.addEventListener("about", (event) => standing.learn(/** @type {CustomEvent} */ (event).detail));
  connection.addEventListener("state", () => {
    if (connection.state === "connected" && connection.me !== me && navigator.cookieEnabled) {
      // Another tab signed in or out, and the browser took this page along.
      composer.complain(gettext("You are somebody else now than when this page was opened. Reload it to see who."));
    }
  });
  let moderated = standing.may.moderate;
  const show = () => {
    showAbout(standing.about);
    pinned.show(standing.about.pinned, standing.may.moderate);
    if (standing.about.shows_typing) typing.want();
    if (standing.may.moderate !== moderated) tools?.renew();
    moderated = standing.may.moderate;
  };
  standing.addEventListener("change", show);
  show();
  showStatus(connection);
  showRoomLinks(connection, standing);
  showOutgoing(outbox);
  showComposerState(standing, outbox);
  connection.start();

  async function renew() {
    const page = await list.reload();
    outbox.settle();
    standing.learn(readAbout(page));
    return Number(page.getElementById("log")?.dataset.cursor);
  }

  async function renewRights() {
    try {
      standing.renew(readRights(await fetchPage(ownPage())));
    } catch (error) {
      console.warn("Engawa: what one may do here could not be read again.", error);
    }
  }
}

async function lookAgain() {
  const page = await fetchPage(ownPage());
  return { token: tokenOf(page), me: page.getElementById("room")?.dataset.me ?? "" };
}

/** Say as whom one writes: perhaps another tab took another name. @param {string} name */
function showMyName(name) {
  const { content } = /** @type {HTMLTemplateElement} */ (byId("outgoing-template"));
  for (const place of [document, content]) {
    const said = place.querySelectorAll(".guest summary bdi, .message--outgoing .message__author");
    for (const element of said) element.textContent = name;
  }
}

/** @param {Document} page */
function tokenOf(page) {
  const field = /** @type {HTMLInputElement | null} */ (page.querySelector("#composer [name=csrfmiddlewaretoken]"));
  return field?.value ?? "";
}

/** @param {Document} page */
function readRights(page) {
  return JSON.parse(page.getElementById("room")?.dataset.rights ?? "{}");
}

// @ts-check
import { Connection } from "./lib/connection.js";
import { Following } from "./lib/following.js";
import { toldBy } from "./lib/standing.js";
import { streamDial } from "./lib/stream.js";
import { readAbout, showAbout } from "./view/about.js";
import { Announcer } from "./view/announcer.js";
import { showStatus } from "./view/connection_status.js";
import { watchEmbedLink } from "./view/embed_link.js";
import { MessageList } from "./view/message_list.js";
import { byId } from "./view/page.js";
import { showPause } from "./view/pause.js";
import { Pinned } from "./view/pinned.js";
import { closeLikeMenu } from "./view/popdown.js";
import { showPresence } from "./view/presence.js";

/** @import { About, Message } from "./lib/types.js" */

// The watch page: a room, read-only.

const list = new MessageList();
const pinned = new Pinned((mid) => list.get(mid));
const { streamUrl } = byId("room").dataset;

watchEmbedLink();
closeLikeMenu(/** @type {HTMLDetailsElement} */ (byId("room-menu")));
if (streamUrl) {
  const cursor = Number(byId("log").dataset.cursor);
  const connection = new Connection(streamDial(streamUrl), cursor, async () => {
    const head = await renew();
    following.renewed();
    return head;
  });
  const following = new Following(connection, (mid) => Boolean(list.get(mid)), renew);
  following.addEventListener("event", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    list.apply(detail);
    if (detail.type === "message.edited") pinned.changed(/** @type {Message} */ (detail));
    show(toldBy(detail));
  });
  list.addEventListener("renewed", (event) => pinned.renewed(/** @type {CustomEvent} */ (event).detail));
  new Announcer(list);
  showStatus(connection);
  showPresence(/** @type {any} */ (following));
  showPause(following, () => list.scroller.follow());
  connection.start();
}

/** @param {Partial<About>} about */
function show(about) {
  showAbout(about);
  pinned.show(about.pinned);
}

async function renew() {
  const page = await list.reload();
  show(readAbout(page));
  return Number(page.getElementById("log")?.dataset.cursor);
}

// Follows a stream with an EventSource that is no browser's, and says each thing it hears on a line of JSON. Its
// connection is cut after so many messages; it comes back by itself. It ends with the message "the end".
import { EventSource } from "eventsource";

const [url, cutAfter] = process.argv.slice(2);
let cut = () => {};
let heard = 0;
// Its timer for coming back keeps no process going.
const going = setInterval(() => {}, 60_000);
const say = (what) => console.log(JSON.stringify(what));
const source = new EventSource(url, {
  async fetch(input, init) {
    say({ asked: init.headers["Last-Event-ID"] ?? null });
    const { status, headers, redirected, url, body } = await fetch(input, init);
    // A wire that can be cut: what is read from it then fails, as when a network goes away.
    const wire = new TransformStream({ start: (end) => (cut = () => end.error(new TypeError("cut"))) });
    return { status, headers, redirected, url, body: body.pipeThrough(wire) };
  },
});
source.addEventListener("open", () => say({ open: true }));
source.addEventListener("error", ({ code }) => say({ error: code ?? null, closed: source.readyState === source.CLOSED }));
source.addEventListener("message.deleted", ({ data }) => say({ deleted: JSON.parse(data).mid }));
source.addEventListener("message", ({ data, lastEventId, origin }) => {
  const { message, mid } = JSON.parse(data);
  say({ id: lastEventId, message, mid, origin });
  if (++heard === Number(cutAfter)) cut();
  if (message === "the end") {
    source.close();
    clearInterval(going);
  }
});

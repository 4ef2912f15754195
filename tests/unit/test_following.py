"""A paused watch page: what waits is bounded, and what is taken back meanwhile is not shown, however one goes on."""

import json
import subprocess

from tests.parts import node
from tests.servers import ROOT

# A room of which everything is known, and a page of it, which shows what it is told and can be read anew.
STAGE = """
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail } = {}) { super(type); this.detail = detail; }
};
const connection = new EventTarget();
const happen = (type, mid) => connection.dispatchEvent(new CustomEvent("event", { detail: { type, mid } }));
let shown = new Set(), room = new Set(), arrives = async () => {};
const say = (mid) => { room.add(mid); happen("message", mid); };
const takeBack = (mid) => { room.delete(mid); happen("message.deleted", mid); };
const following = new Following(connection, (mid) => shown.has(mid), async () => {
  const read = new Set(room);
  await arrives();
  shown = read;
});
let told = 0;
following.addEventListener("event", ({ detail: { type, mid } }) => {
  told++;
  if (type === "message") shown.add(mid);
  if (type === "message.deleted") shown.delete(mid);
});
const same = () => [...shown].sort().join() === [...room].sort().join();
"""


def run(program: str) -> object:
    module = (ROOT / "static/js/lib/following.js").as_uri()
    source = f"import {{ Following }} from {json.dumps(module)};\n{STAGE}\n{program}"
    command = [node(), "--input-type=module", "--eval", source]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout)


FULL = """
say("before");
following.pause();
for (let number = 1000; number < 1520; number++) say(`m${number}`);
"""


def test_what_is_taken_back_while_the_room_is_read_anew_is_not_shown() -> None:
    program = """
    arrives = async () => { takeBack("before"); takeBack("m1500"); say("n"); };
    await following.follow();
    console.log(JSON.stringify([same(), shown.has("m1500"), shown.has("before"), following.isPaused]));
    """
    assert run(FULL + program) == [True, False, False, False]


def test_where_the_room_cannot_be_read_nothing_is_lost() -> None:
    program = """
    arrives = async () => { throw new Error("away"); };
    const failed = await following.follow().then(() => false, () => true);
    const { isPaused, isFull } = following;
    arrives = async () => {};
    await following.follow();
    console.log(JSON.stringify([failed, isPaused, isFull, same(), following.isFull]));
    """
    assert run(FULL + program) == [True, True, True, True, False]


def test_who_reacts_for_hours_fills_nothing() -> None:
    program = """
    following.pause();
    say("one");
    for (let number = 0; number < 10_000; number++) happen("message.reactions", number % 2 ? "one" : "long ago");
    const { waiting, isFull } = following;
    told = 0;
    await following.follow();
    console.log(JSON.stringify([waiting, isFull, same(), told]));
    """
    assert run(program) == [1, False, True, 0]

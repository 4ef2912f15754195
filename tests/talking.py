"""Somebody who does all that can be done on a socket, in the process that serves it: for what that brings in."""

import asyncio
import json
import uuid

from asgiref.testing import ApplicationCommunicator

HOST = b"127.0.0.1:8000"


class Socket(ApplicationCommunicator):
    """A socket in the room *talking*, to whatever application this process's role has."""

    def __init__(self, application: object, cookie: str) -> None:
        headers = [(b"host", HOST), (b"origin", b"http://" + HOST), (b"cookie", cookie.encode())]
        scope = {"type": "websocket", "path": "/ws/chat/talking/", "headers": headers, "query_string": b"history=5"}
        super().__init__(application, {**scope, "client": ["127.0.0.1", 1], "subprotocols": ["engawa.v1"]})

    async def frame(self, *types: str) -> dict:
        while True:
            message = await self.receive_output(20)
            frame = json.loads(message.get("text", "{}"))
            if frame.get("type") in types:
                return frame

    async def ask(self, **frame: str) -> dict:
        key = str(uuid.uuid4())
        await self.send_input({"type": "websocket.receive", "text": json.dumps({**frame, "key": key})})
        while True:
            answer = await self.frame("posted", "done", "error")
            if answer.get("key") == key:
                return answer


def talk() -> None:
    asyncio.run(_talk())


async def _talk() -> None:
    from chat import actions
    from chat.database import in_database
    from chat.identity import new_guest
    from config.serving import application

    await in_database(actions.create_room, new_guest(), "talking")
    socket = Socket(application(), "sessionid=none; guest=none; language=ja")
    await socket.send_input({"type": "websocket.connect"})
    await socket.frame("welcome")
    mid = (await socket.ask(type="post", message="**loud** https://example.org 😀"))["mid"]
    for command in (
        {"type": "react", "mid": mid, "reaction": "👍"},
        {"type": "edit", "mid": mid, "message": "less loud"},
        {"type": "report", "mid": mid, "reason": "spam"},
        {"type": "delete", "mid": mid},
    ):
        answer = await socket.ask(**command)
        assert answer["type"] == "done", (command, answer)
    assert (await socket.ask(type="ban", mid=mid))["type"] == "error"
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait()

"""The API for programs, asked by a machine what nobody would ask: every answer is as its OpenAPI document has it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.servers import Engawa

LONG = bool(os.environ.get("ENGAWA_TEST_LONG"))
EXAMPLES = 1000 if LONG else 100
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
MAKE = """
from chat import actions, programs
from chat.models import User
olga = User.objects.create_user("olga").identity
room, _ = actions.create_room(olga, "Veranda")
print(programs.create_token(olga, room.pk, "Kestrel", programs.SCOPES)[1])
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engawa]:
    engawa = Engawa(tmp_path_factory.mktemp("api"), POSTS_PER_MINUTE="60000")
    yield engawa
    engawa.stop()


@pytest.fixture(scope="module")
def secret(server: Engawa) -> str:
    return server.shell(MAKE)


@pytest.fixture
def messages(server: Engawa) -> str:
    return f"{server.base}/api/v1/rooms/veranda/messages"


def document(server: Engawa, *, in_the_room: bool) -> dict:
    """The API's own, and (``in_the_room``) with the room that there is instead of any."""
    found = httpx.get(f"{server.base}/api/v1/openapi.json").json()
    if in_the_room:
        for path in found["paths"].values():
            for operation in path.values():
                for parameter in operation["parameters"]:
                    if parameter["name"] == "slug":
                        parameter["schema"]["enum"] = ["veranda"]
    return found


@pytest.mark.parametrize("in_the_room", [True, False], ids=["in the room", "anywhere"])
@pytest.mark.parametrize("token", ["valid", "invalid", "none"])
def test_every_answer_is_documented(server: Engawa, secret: str, token: str, in_the_room: bool) -> None:
    headers = {"valid": {"Authorization": f"Bearer {secret}"}, "invalid": {"Authorization": "Bearer engawa_x"}}
    schema = schemathesis.openapi.from_dict(document(server, in_the_room=in_the_room))
    asked: set[tuple[str, int]] = set()
    for result in schema.get_all_operations():
        operation = result.ok()
        cases = st.one_of(operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

        @settings(
            max_examples=EXAMPLES if token == "valid" else EXAMPLES // 4,  # these come no further than the door
            deadline=None,
            database=None,
            derandomize=not LONG,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=cases)
        def ask(case: Case) -> None:
            for name in [name for name in case.headers or {} if name.lower() == "authorization"]:
                del case.headers[name]
            answer = case.call(base_url=server.base, headers=headers.get(token))
            asked.add((case.method, answer.status_code))
            case.validate_response(answer, checks=CHECKS)

        ask()
    statuses = {status for _, status in asked}
    if token != "valid":
        assert statuses == {401}
    elif in_the_room:
        # It came as far as it could, and was not only turned away.
        assert {("GET", 200), ("GET", 400), ("POST", 201), ("POST", 400), ("DELETE", 404)} <= asked
    else:
        assert 404 in statuses


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_a_program_posts_and_everybody_hears_it(server: Engawa, secret: str, messages: str) -> None:
    with httpx.Client(headers=bearer(secret)) as program:
        posted = program.post(messages, json={"message": "from a program"})
        assert posted.status_code == 201
        with httpx.stream("GET", f"{server.base}/feeds/veranda/stream?history=1") as stream:
            line = next(line for line in stream.iter_lines() if "from a program" in line)
            assert json.loads(line.removeprefix("data: "))["author"]["kind"] == "bot"
        assert program.delete(f"{messages}/{posted.json()['mid']}").status_code == 204


def test_a_body_that_is_too_large_whatever_it_says_of_itself(server: Engawa, secret: str, messages: str) -> None:
    body = b'{"message": "' + b"x" * 300_000 + b'"}'
    headers = {**bearer(secret), "Content-Type": "application/json"}
    for content in (body, iter([body[:100_000], body[100_000:]])):  # the second without a length
        answer = httpx.post(messages, content=content, headers=headers)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "payload.too_large"


def test_no_page_may_call_it_from_a_browser(server: Engawa, messages: str) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = httpx.options(messages, headers=headers)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_posts_are_limited_and_it_says_when_to_come_back(tmp_path: Path) -> None:
    server = Engawa(tmp_path, POSTS_PER_MINUTE="3")
    try:
        secret = server.shell(MAKE)
        messages = f"{server.base}/api/v1/rooms/veranda/messages"
        with httpx.Client(headers=bearer(secret)) as program:
            answers = [program.post(messages, json={"message": "x"}) for _ in range(4)]
            assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
            assert answers[3].json()["error"]["code"] == "limit.posts"
            assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
            assert program.get(messages).status_code == 200
            assert program.delete(f"{messages}/{answers[0].json()['mid']}").status_code == 429
    finally:
        server.stop()

"""What is wrong is told in the language of whoever is told, at every door, and kept in none."""

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.timezone import now

from chat import errors, governing, mails, moderation, posting, programs, read_marks, screening
from chat.answers import Held
from chat.consumers import RoomConsumer
from chat.errors import ChatError
from chat.models import AuditEntry, User
from chat.posting import Post, post_together
from chat.protocol import ENGAWA_V1, PLAIN
from chat.sentences import Sentence, counted, filled
from tests.unit.browsers import JSON, signed_in

pytestmark = pytest.mark.django_db
MESSAGES = "/chat/veranda/messages"
OTHERS = ("ja", "zh-hans", "zh-hant")


def said(sentence: Sentence, language: str) -> str:
    with translation.override(language):
        return str(sentence)


def in_ja(sentence: Sentence) -> str:
    """What it is in Japanese, which is something else than in English."""
    assert said(sentence, "ja") != said(sentence, "en")
    return said(sentence, "ja")


def test_a_sentence_has_the_language_of_where_it_is_told() -> None:
    too_long = errors.NameInvalid(
        filled(errors._("A name has at most %(most)s characters; that one has %(length)s."), most=32, length=40)
    )
    days = counted("%(count)s day", "%(count)s days", 7)
    assert said(too_long.detail, "en") == "A name has at most 32 characters; that one has 40."
    assert said(days, "en") == "7 days"
    for language in OTHERS:
        told, span = said(too_long.detail, language), said(days, language)
        assert told != said(too_long.detail, "en")
        assert "32" in told
        assert "40" in told
        assert span != "7 days"
        with translation.override(language):
            assert json.loads(json.dumps(too_long.as_dict()))["detail"] == told
            assert str(too_long) == said(too_long.detail, "en")  # as logs and commands have it


def test_who_is_not_remembered_is_told_so_in_their_language(cast) -> None:
    with pytest.raises(errors.NotAllowed) as refused:
        read_marks.require_mark(cast.gil, cast.room.pk)  # as a socket does, which knows no language there
    assert in_ja(refused.value.detail)


def test_every_error_has_words_in_every_language() -> None:
    for error in errors.every_error():
        told = {said(error.detail, language) for language in ("en", *OTHERS)}
        assert len(told) >= 3, (error, told)  # a sentence may be the same in both Chinese scripts


@pytest.mark.parametrize(
    ("headers", "cookie", "language"),
    [
        ({"Accept-Language": "ja,en;q=0.5"}, None, "ja"),
        ({"Accept-Language": "en"}, "zh-hant", "zh-hant"),
        ({"Accept-Language": "de"}, None, "en"),
    ],
)
def test_json_says_it_in_the_language_that_is_asked_for(cast, headers: dict, cookie: str | None, language: str) -> None:
    client = Client(headers={**headers, **JSON})
    if cookie:
        client.cookies["language"] = cookie
    answer = client.post(MESSAGES, {"message": " "})
    assert answer.status_code == 400
    assert answer.json()["error"] == {"code": "text.empty", "detail": said(errors.TextEmpty.detail, language)}
    assert answer["Content-Language"].lower() == language
    assert "Accept-Language" in answer["Vary"]


def test_a_page_says_it_in_the_language_that_is_asked_for(cast) -> None:
    browser = Client(headers={"Accept-Language": "ja"})
    assert in_ja(errors.TextEmpty.detail) in browser.post(MESSAGES, {"message": " "}).text
    too_large = browser.post("/chat/", {"name": "x" * 2_000_000})
    assert too_large.status_code == 413
    assert in_ja(errors.PayloadTooLarge.detail) in too_large.text
    assert too_large["Content-Language"] == "ja"


def test_a_form_without_its_token_is_refused_in_the_readers_language(cast) -> None:
    english, japanese = (
        Client(enforce_csrf_checks=True, headers={"Accept-Language": language}).post("/chat/", {"name": "x"})
        for language in ("en", "ja")
    )
    assert english.status_code == japanese.status_code == 403
    assert '<html lang="ja">' in japanese.text
    assert japanese["Content-Language"] == "ja"
    assert "That form was too old" in english.text
    assert "That form was too old" not in japanese.text


def test_who_is_banned_is_told_so_in_their_language(cast) -> None:
    mid = posting.post(cast.sven, cast.room.pk, "hello").mid
    moderation.ban(cast.olga, cast.room.pk, mid, seconds=3600)
    refusal = signed_in(cast.users.sven, headers={"Accept-Language": "zh-TW"}).get("/chat/veranda/")
    ends_at = f"{now() + timedelta(hours=1):%Y-%m-%d %H}"
    assert refusal.status_code == 403
    assert refusal["Content-Language"] == "zh-Hant"
    assert "Your account was banned here" not in refusal.text
    assert ends_at in refusal.text or f"{now():%Y-%m-%d %H}" in refusal.text


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        ({"path": "/api/v1/rooms/veranda/messages"}, None),
        ({"path": "/api/nothing"}, errors.AddressNotFound),
        ({"path": "/api/v1/rooms/veranda/messages", "method": "PATCH"}, errors.MethodNotAllowed),
        ({"path": "/api/v1/rooms/veranda/messages", "HTTP_HOST": "evil.example"}, errors.InvalidHost),
    ],
)
def test_programs_are_told_in_the_language_that_they_accept(
    cast, ask: dict[str, str], error: type[ChatError] | None
) -> None:
    ask = {"method": "GET", **ask}
    english, japanese = (
        Client(headers={"Accept-Language": language}).generic(**ask).json()["error"] for language in ("en", "ja")
    )
    assert english["code"] == japanese["code"]
    assert english["detail"] != japanese["detail"]
    if error is not None:
        assert japanese["detail"] == in_ja(error.detail)


def test_a_program_is_told_what_waits_in_the_language_that_it_accepts(cast) -> None:
    secret = programs.create_token(cast.olga, cast.room.pk, "Kestrel", ["read"])[1]
    refused = Client(headers={"Accept-Language": "ja", "Authorization": f"Bearer {secret}"}).post(
        "/api/v1/rooms/veranda/messages", json.dumps({"message": "x"}), content_type="application/json"
    )
    assert refused.json()["error"]["code"] == "token.scope"
    assert "post" in refused.json()["error"]["detail"]
    assert "lacks" not in refused.json()["error"]["detail"]


def test_the_description_of_the_api_is_english(cast) -> None:
    with translation.override("ja"):
        described = Client(headers={"Accept-Language": "ja"}).get("/api/v1/openapi.json")
    assert said(errors.TokenInvalid.detail, "en") in described.text
    assert in_ja(errors.TokenInvalid.detail) not in described.text
    assert "Content-Language" not in described


def test_posts_that_are_refused_together_are_each_told_in_their_language(cast) -> None:
    governing.change_room(
        cast.olga, cast.room.pk, {"blocked_words": "durian", "on_words": "refuse", "slow_seconds": 60}
    )
    screening.forget_site_rules()
    posting.post(cast.sven, cast.room.pk, "first")
    refused, slow, posted = post_together(
        cast.room.pk, [Post(cast.mio, "a durian"), Post(cast.sven, "too soon"), Post(cast.olga, "fine")]
    )
    assert (refused.code, slow.code, posted.seq) == ("text.refused", "slow_mode", 3)
    for dialect in (ENGAWA_V1, PLAIN):
        told = {language: in_frames(RoomConsumer(), dialect, language, refused, slow) for language in ("en", *OTHERS)}
        assert "It has a word that is not welcome here: it was not posted." in told["en"][0]
        assert "one message every 60 seconds" in told["en"][1]
        assert len({first for first, _ in told.values()}) == 4
        assert len({second for _, second in told.values()}) == 4
        assert all("60" in second for _, second in told.values())
    # Nothing of it stays: what is told next is told in its own.
    assert translation.get_language() == "en"


def in_frames(consumer: RoomConsumer, dialect: object, language: str, *refused: ChatError) -> list[str]:
    consumer.dialect, consumer.language = dialect, language
    frames = [json.loads(consumer.error(error)[0]["text"]) for error in refused]
    return [frame.get("detail") or frame["message"] for frame in frames]


def test_a_message_that_waits_is_told_of_in_its_authors_language(cast) -> None:
    governing.change_room(cast.olga, cast.room.pk, {"approval": "guests"})
    held = posting.post(cast.gil, cast.room.pk, "hello")
    assert isinstance(held, Held)
    consumer = RoomConsumer()
    for dialect, where in ((ENGAWA_V1, "detail"), (PLAIN, "message")):
        consumer.dialect, consumer.language = dialect, "ja"
        assert in_ja(held.detail) in json.loads(consumer.held(held)[0]["text"])[where]
    answer = Client(headers={"Accept-Language": "ja", **JSON}).post(MESSAGES, {"message": "me too"})
    assert answer.json()["detail"] == in_ja(held.detail)


def test_most_connections_keep_no_language_of_their_own() -> None:
    assert "language" not in vars(RoomConsumer())
    assert RoomConsumer.language == "en"


@pytest.mark.parametrize(("theirs", "browsers", "language"), [("ja", "en", "ja"), ("", "zh-TW", "zh-hant")])
def test_an_e_mail_has_the_language_of_the_account(cast, theirs: str, browsers: str, language: str) -> None:
    mails._buckets.clear()
    User.objects.filter(username="olga").update(email="olga@example.org", language=theirs, password="md5$x$y")
    Client(headers={"Accept-Language": browsers}).post("/accounts/password_reset/", {"email": "olga@example.org"})
    mails._waiting.join()
    (message,) = mail.outbox
    assert message.subject == said(errors._("A new password for %(domain)s"), language) % {"domain": "127.0.0.1:8000"}
    assert "A new password" not in message.subject
    assert "olga" in message.body
    assert "http://127.0.0.1:8000/accounts/reset/" in message.body
    assert "Hello" not in message.body


def test_what_is_recorded_is_in_no_language(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "hello").mid
    moderator = signed_in(cast.users.olga, headers={"Accept-Language": "ja"})
    for command in ({"type": "pin"}, {"type": "mute", "seconds": "300"}, {"type": "delete"}):
        moderator.post("/chat/veranda/commands", {**command, "mid": mid})
    moderator.post("/chat/veranda/settings", {"do": "archive"})
    entries = AuditEntry.objects.values_list("action", "target", "reason", "details")
    assert {action for action, *_ in entries} >= {"pin", "mute", "delete", "archive"}
    assert json.dumps(list(entries), ensure_ascii=False).isascii()


def test_the_admins_history_is_english_and_its_pages_are_not(cast) -> None:
    operator = User.objects.create_superuser("operator")
    admin = signed_in(operator, headers={"Accept-Language": "ja"})
    page = admin.post(
        reverse("admin:chat_room_changelist"),
        {"action": "archive", "_selected_action": [cast.room.pk], "confirmed": "1"},
        follow=True,
    )
    assert LogEntry.objects.get().change_message == "1 room archived."
    assert "1 room archived." not in page.text
    assert '<html lang="ja"' in page.text


def test_commands_speak_english_whoever_starts_them(cast, settings) -> None:
    settings.LANGUAGE_CODE = "ja"
    with translation.override("ja"), pytest.raises(CommandError, match="A private room has an owner: name one"):
        call_command("create_room", "Attic", visibility="private")


def test_the_audit_log_is_read_in_words(cast) -> None:
    mid = posting.post(cast.gil, cast.room.pk, "hello").mid
    moderation.mute(cast.olga, cast.room.pk, mid, 3600)
    governing.change_room(cast.olga, cast.room.pk, {"on_words": "hold", "slow_seconds": 5})
    governing.set_role(cast.olga, cast.room.pk, "mio", "moderator")
    english, japanese = (
        signed_in(cast.users.olga, headers={"Accept-Language": language}).get("/chat/veranda/audit").text
        for language in ("en", "ja")
    )
    for words in ("muted somebody", "for: 1 hour", "Blocked words", "now: Hold until", "before: member", "before: 0"):
        assert words in english
        assert words not in japanese
    for code in ("on_words", "seconds:", "against:", "hold<", "moderator<"):
        assert code not in japanese

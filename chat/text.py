"""What people type, made safe to keep: one normal form, no control characters, within bounds."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from chat import errors
from chat.sentences import filled

MAX_SLUG_CHARS = 64
MAX_MARKS = 30  # in a row, as the Stream-Safe Text Format has it (UAX #15): more than any writing needs
RESERVED_SLUGS = frozenset(  # words of our own addresses, and what broken programs put into them
    (
        "about accounts admin api archive chat embed export feeds health help live message messages new null "
        "oembed room rooms search settings static stream undefined user users watch ws"
    ).split()
)

_ORIGIN = re.compile(r"https?://(\*\.)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")
_JOINERS = "\u200c\u200d"  # they shape letters and emoji, so they stay
# Controls, and embeddings and overrides (UAX #9), which make text read differently from what it is. Isolates, which
# browsers close at the end of a paragraph, stay.
_DROPPED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
_ROOM_NAME_TOO_LONG = filled(_("A room's name has at most %(most)s characters."), most=MAX_SLUG_CHARS)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")


def well_formed(text: str) -> str:
    """``text`` with halves of surrogate pairs joined, and those left alone replaced by U+FFFD.

    JSON can carry ``"\\ud800"``, which no database and no UTF-8 stream can.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean_text(text: object) -> str:
    """A message's text as it is kept: NFC, ``\\n`` for line ends, without control characters.

    Raises ``TextInvalid``, ``TextEmpty`` or ``TextTooLong`` (settings.MAX_TEXT_CHARS, in code points).
    """
    if not isinstance(text, str):
        raise errors.TextInvalid()
    # Far too long is told before anything is computed over it; normalising shrinks a text to a third at most.
    if len(text) > 4 * settings.MAX_TEXT_CHARS:
        raise _too_long(len(text))
    text = _DROPPED.sub("", _LINE_ENDS.sub("\n", well_formed(text)))
    if not text.isascii():
        if any(map(unicodedata.combining, text)):
            text = "".join(_bounded_marks(text))
        text = unicodedata.normalize("NFC", text)
    text = text.strip()
    if not any(_is_visible(char) for char in text):
        raise errors.TextEmpty()
    if len(text) > settings.MAX_TEXT_CHARS:
        raise _too_long(len(text))
    return text


def clean_name(name: object, most: int | None = None) -> str:
    """A nickname, title or the like as it is kept: NFKC, one line, no format characters, single spaces.

    Raises ``NameInvalid`` where nothing visible is left or it is longer than ``most`` code points
    (settings.MAX_NAME_CHARS by default).
    """
    most = most or settings.MAX_NAME_CHARS
    if not isinstance(name, str) or len(name) > 20 * most:
        raise errors.NameInvalid(filled(_("A name is a text of at most %(most)s characters."), most=most))
    name = unicodedata.normalize("NFKC", well_formed(name))
    name = "".join(char for char in name if char in _JOINERS or char.isspace() or _category(char) not in "CfCcCsCoCn")
    name = " ".join(name.split())
    if not any(_is_visible(char) for char in name):
        raise errors.NameInvalid(_("A name has at least one visible character."))
    if len(name) > most:
        sentence = _("A name has at most %(most)s characters; that one has %(length)s.")
        raise errors.NameInvalid(filled(sentence, most=most, length=len(name)))
    return name


def slug_of(name: str) -> str:
    """The slug that the room name ``name`` leads to: spaces and punctuation become hyphens.

    Raises ``RoomNameInvalid`` or ``RoomNameReserved``.
    """
    if len(name) > 20 * MAX_SLUG_CHARS:
        raise errors.RoomNameInvalid(_ROOM_NAME_TOO_LONG)
    folded = fold(name)
    slug = "-".join("".join(_slug_chars(folded)).split()).strip("-")
    if not is_slug(slug):
        if len(slug) > MAX_SLUG_CHARS:
            raise errors.RoomNameInvalid(_ROOM_NAME_TOO_LONG)
        raise errors.RoomNameInvalid()
    if slug in RESERVED_SLUGS:
        raise errors.RoomNameReserved()
    return slug


def is_slug(slug: str) -> bool:
    """Whether ``slug`` is a slug as rooms have them: canonical, 1–64 letters, marks, numbers, ``_``, ``-``."""
    return (
        0 < len(slug) <= MAX_SLUG_CHARS
        and any(_category(char)[0] in "LN" for char in slug)
        and all(_category(char)[0] in "LMN" or char in "_-" for char in slug)
        and fold(slug) == slug
    )


def canonical_slug(slug: str) -> str | None:
    """The slug that an address with ``slug`` in it means, or None where no room can have that name."""
    if len(slug) > 4 * MAX_SLUG_CHARS:
        return None
    slug = fold(slug)
    return slug if is_slug(slug) else None


def check_embed_origins(value: str) -> None:
    """A model's validator: ``*``, or origins separated by spaces. They go into a header as they stand."""
    for origin in value.split():
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValidationError(
                _("“%(origin)s” is not an origin such as https://example.org, nor *"), params={"origin": origin}
            )


def fold(text: str) -> str:
    """NFKC and case-folded, and stable under being folded again."""
    for _round in range(3):  # folding may undo the normal form, which is then made again
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", well_formed(text)).casefold())
        if folded == text:
            break
        text = folded
    return text


def _bounded_marks(text: Iterable[str]) -> Iterator[str]:
    """``text`` with at most MAX_MARKS combining marks in a row: sorting them takes the square of their number."""
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= MAX_MARKS:
            yield char


def _slug_chars(text: str) -> Iterator[str]:
    """The characters of ``text`` that a slug may have, and a space for every other that one can see."""
    for char in text:
        if _category(char)[0] in "LMN" or char in "_-":
            yield char
        elif _category(char) != "Cf":
            yield " "


def _category(char: str) -> str:
    return unicodedata.category(char)


def _is_visible(char: str) -> bool:
    # U+3164 and its like are letters by category and blank by sight.
    return _category(char)[0] not in "ZC" and char not in "\u115f\u1160\u3164\uffa0\u2800\ufffd\u034f"


def _too_long(length: int) -> errors.TextTooLong:
    sentence = _("A message has at most %(most)s characters; that one has %(length)s.")
    return errors.TextTooLong(filled(sentence, most=settings.MAX_TEXT_CHARS, length=length))

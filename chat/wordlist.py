"""Lists of blocked words, and whether a text has one of them, however it is spelled. Pure.

One word or phrase a line; ``*`` stands for any run of letters within a word; lines beginning with ``#`` are notes. In
scripts that write spaces a word is found as a whole, in others (Han, kana, Thai …) anywhere.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from chat.lookalike import INVISIBLE, LEET, LEET_L, MARKS, to_hiragana, to_latin

MAX_LINES = 500
MAX_LINE_CHARS = 100
MAX_LIST_CHARS = (
    6000  # of words, notes apart: it bounds the memory of a compiled list (2 MB) and the time per character
)

# Scripts that write no spaces between words, and pictures. Bounds for a regular expression's class.
_SPACELESS = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\u2190-\u2bff\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3031-\u3035\u3040-\u3098\u309b-\u309f\u30a0-\u30fa\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u9fff"
    "\ua9e0-\ua9ff\uaa60-\uaa7f\uf900-\ufaff\U00016fe0-\U0001b2ff\U0001f000-\U0001faff\U00020000-\U0003ffff"
)
_SIGNS = "\u0900-\u0963\u0966-\u0dff\ua8e0-\ua8ff"  # Indic vowel signs, which \w leaves out, with their letters
_SPACED = re.compile(f"(?:[^\\W_{_SPACELESS}]|[{_SIGNS}])+")
_NO_LETTER = f"[^\\w{_SPACELESS}{_SIGNS}]|_"
_ONE_SPACELESS = re.compile(f"[{_SPACELESS}]")
# What ends a sentence or a line parts words for good. Spaces, dots and the like may stand between letters to hide them.
_STOP = re.compile("[\n,;:!?。、]")
_GAP = re.compile(f"(?:{_NO_LETTER})+")
_SPACES = re.compile(" {2,}")

# One-letter words in a row with the same between them: "b.a.d", "b a d".
_SPELLED_OUT = re.compile(r"(?<![^\W_])[^\W_](\W{1,3}|_{1,3})[^\W_](?:\1[^\W_])+(?![^\W_])")
_TOKEN = re.compile("[\\w@$!|€\U0001f130-\U0001f1ff]{2,}")
_LEET_MARKS = re.compile("[0134578@$€!|]")
_LATIN = re.compile("[A-Za-z0-9@$€!|\u00c0-\u02af\u1d00-\u1dbf\ua720-\ua7ff\U0001f130-\U0001f1ff]")
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_LONGEST = str.maketrans(dict.fromkeys("\ufdfa\ufdfb\ufdfd", " "))  # one character that becomes eighteen


def unmarked(text: str) -> str:
    """``text`` in its simplest characters, case kept: no accents, nothing invisible, one width, hiragana for kana."""
    if text.isascii():
        return INVISIBLE.sub("", text)
    text = INVISIBLE.sub("", unicodedata.normalize("NFKD", text.translate(_LONGEST)))
    text = text.replace("и\u0306", "й").replace("И\u0306", "Й")  # a letter of its own, not an accent
    return unicodedata.normalize("NFC", to_hiragana(MARKS.sub("", _SKIN.sub("", text)))).replace("ı", "i")


def folded(text: str) -> str:
    """``text`` unmarked and case-folded."""
    return _folded(unmarked(text))


def _folded(text: str) -> str:
    text = text.casefold()
    return text if text.isascii() else MARKS.sub("", text)  # "İ" folds to an "i" with a dot


def spelled(text: str) -> str:
    """``text`` as lists are compared with it: words of spaced scripts between spaces, ``\\n`` where a sentence ends.

    Further lines say what disguised words read as: letters written apart, digits or other alphabets for letters.
    """
    plain = unmarked(text)
    return _letters(_folded("\n".join((plain, *dict.fromkeys(_disguised(plain))))))


def _letters(text: str) -> str:
    text = _GAP.sub(lambda gap: "\n" if _STOP.search(gap[0]) else " ", text)
    return _SPACES.sub(" ", _SPACED.sub(r" \g<0> ", text))


def _disguised(text: str) -> Iterator[str]:
    for run in _SPELLED_OUT.finditer(text):
        joined = run[0].replace(run[1], "")
        yield joined
        if _LEET_MARKS.search(joined):
            yield joined.translate(LEET)
    if text.isascii() and not _LEET_MARKS.search(text):
        return
    for found in _TOKEN.finditer(text):
        token = found[0]
        if not _LATIN.search(token) or (token.isascii() and token.isalpha()) or token.isdigit():
            continue
        latin = to_latin(token)
        if latin != token:
            yield latin
        if _LEET_MARKS.search(latin):
            yield latin.translate(LEET)
            if latin != (other := latin.translate(LEET_L)):
                yield other.translate(LEET)


class WordList:
    """A list of words, compiled: all of them are followed at once, one step for each character of the text.

    Bit *i* of the state says that the text read so far ends with the characters up to *i* of the word that the bit
    belongs to (the Shift-And algorithm). So the time does not depend on what is in the text.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """``patterns`` are written as ``spelled`` writes, with a ``*`` for each run of letters."""
        self._first = self._last = self._runs = self._gaps = 0
        self._masks: dict[str, int] = {}
        bit = 1
        for pattern in dict.fromkeys(patterns):
            self._first |= bit
            before = ""
            for char in pattern:
                if char == "*":
                    self._runs |= bit >> 1
                    continue
                if _ONE_SPACELESS.match(char) and before and _ONE_SPACELESS.match(before):
                    self._gaps |= bit >> 1
                self._masks[char] = self._masks.get(char, 0) | bit
                before = char
                bit <<= 1
            self._last |= bit >> 1

    def __bool__(self) -> bool:
        return self._first != 0

    def is_in(self, text: str) -> bool:
        """Whether ``text``, as ``spelled`` writes it, has one of the words."""
        first, last, runs, gaps, masks = self._first, self._last, self._runs, self._gaps, self._masks
        state = 0
        for char in text:
            stay = gaps if char == " " else runs if char != "\n" else 0
            state = ((state << 1 | first) & masks.get(char, 0)) | (state & stay)
            if state & last:
                return True
        return False


@lru_cache(maxsize=64)
def compiled(words: str) -> WordList:
    """The list that is written in ``words``."""
    return WordList(pattern for _, line in _lines(words) if (pattern := _pattern(line)))


def check_words(words: str) -> None:
    """A model's validator: raises ``ValidationError``, naming the line, for a list that is too long or cannot work."""
    lines = list(_lines(words))
    if len(lines) > MAX_LINES:
        raise ValidationError(
            _("A list has at most %(most)s words; that one has %(length)s."),
            params={"most": MAX_LINES, "length": len(lines)},
        )
    for number, line in lines:
        if len(line) > MAX_LINE_CHARS:
            raise ValidationError(
                _("Line %(number)s has %(length)s characters; a word has at most %(most)s."),
                params={"number": number, "length": len(line), "most": MAX_LINE_CHARS},
            )
        letters = _pattern(line).replace("*", "").replace(" ", "")
        if not letters:
            raise ValidationError(
                _("Line %(number)s has no letters: it would be found everywhere, or never."), params={"number": number}
            )
        if "*" in line and len(letters) < 2 and not _ONE_SPACELESS.match(letters):
            raise ValidationError(
                _("Line %(number)s has a single letter beside *: it would be found nearly everywhere."),
                params={"number": number},
            )
    if (length := sum(len(line) for _, line in lines)) > MAX_LIST_CHARS:
        raise ValidationError(
            _("All words together have at most %(most)s characters; these have %(length)s."),
            params={"most": MAX_LIST_CHARS, "length": length},
        )


def _lines(words: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(words.splitlines(), 1):
        line = line.strip()
        if line and not line.startswith("#"):
            yield number, line


def _pattern(line: str) -> str:
    """A line as ``WordList`` takes it; empty where it has no letters."""
    pieces = [_letters(_folded(unmarked(piece))).replace("\n", " ") for piece in line.split("*")]
    if not any(piece.strip() for piece in pieces):
        return ""
    pattern = re.sub(r"\*+", "*", "*".join(_bare(piece, number, len(pieces)) for number, piece in enumerate(pieces)))
    return _SPACES.sub(" ", pattern).strip("*")


def _bare(piece: str, number: int, count: int) -> str:
    """A piece between stars without the spaces that would stand at a star: the word goes on there."""
    if number > 0:
        piece = piece.lstrip(" ")
    if number < count - 1:
        piece = piece.rstrip(" ")
    return piece

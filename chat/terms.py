"""What a search looks for: a text as people mean it, cut into terms that an index can hold. Pure.

Scripts that write without spaces become overlapping pairs of characters, so that any two that stand together are
found; other words become their beginnings, so that a word is found before it is typed to its end. An index only says
which messages may be meant: each text is then looked at itself (``Needle.stands_in``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from operator import add

from chat.lookalike import INVISIBLE, MARKS

VERSION = 1  # raised when the same text gives other terms
BEGINNINGS = (2, 3, 5, 8)  # the lengths of a word's beginnings that are terms
EXCERPT_CHARS = 240
_BEFORE_CHARS = 60  # of an excerpt, before what was found

# Han, kana, Hangul, Bopomofo; Thai, Lao, Myanmar, Khmer.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u303c\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff\u3041-\u3096\u3099-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\uac00-\ud7af\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\u3105-\u312f\u31a0-\u31bf"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ecf\u0edc-\u0edf\u1000-\u103f\u1050-\u109f\uaa60-\uaa7f\u1780-\u17d3"
)
_HAN = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
# Taking a text apart takes longer than all else, and Japanese, Chinese and Korean have nothing to be taken away.
_MAY_HAVE_MARKS = re.compile("[\u00a0-\u2fff\ua640-\uabff\ufb00-\ufdff\ufe20-\ufe2f\U00010000-\U0001efff]")
_SYMBOLS = "\u2190-\u2bff\U0001f000-\U0001f3fa\U0001f400-\U0001faff"  # without the tones of skin
# Katakana as hiragana: one word in either is one word. Small kana and the long mark stay, since they make others.
_KANA = {code: code - 0x60 for code in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}


def _marks() -> str:
    """What belongs to the letter before it, and is none by itself, as ranges."""
    codes = [code for code in range(0x300, 0x1F000) if unicodedata.category(chr(code))[0] == "M"]
    starts = [code for code in codes if unicodedata.category(chr(code - 1))[0] != "M"]
    ends = [code for code in codes if unicodedata.category(chr(code + 1))[0] != "M"]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


_MARKS = _marks()
_LETTER = rf"[^\W_{_UNSPACED}]"
_IN_WORD = re.compile(rf"{_LETTER}|[{_MARKS}]")
_UNIT = re.compile(rf"(?P<run>[{_UNSPACED}]+)|(?P<word>(?:{_LETTER}|[{_MARKS}])+)|(?P<symbol>[{_SYMBOLS}])")
_PLAIN_WORD = re.compile("[a-z0-9]+")
_BETWEEN = re.compile(rf"(?:[^{_UNSPACED}{_SYMBOLS}{_MARKS}\w]|_)*")
_QUOTES = '"“”„「」『』'  # as keyboards of our languages type them
_PHRASES = re.compile(f"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}]|([^\\s{_QUOTES}]+)")
# A character with what changes it; a half-width kana's voice mark is a letter by category.
_CLUSTER = re.compile(rf".(?:[{_MARKS}\uff9e\uff9f]|{INVISIBLE.pattern})*", re.DOTALL)


def fold(text: str) -> str:
    """``text`` without what nobody means when they search: case, width, accents, katakana or hiragana."""
    if text.isascii():
        return INVISIBLE.sub("", text).lower()
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).casefold()
    if _MAY_HAVE_MARKS.search(text):
        text = unicodedata.normalize("NFC", MARKS.sub("", unicodedata.normalize("NFKD", text)))
    return text.translate(_KANA)


def terms_of(text: str) -> set[str]:
    """All terms under which ``text`` is to be found."""
    folded = fold(text)
    terms: set[str] = set()
    if folded.isascii():
        for word in _PLAIN_WORD.findall(folded):
            terms.update(_of_word(word))
        return terms
    for kind, unit in _units(folded):
        if kind == "word":
            terms.update(_of_word(unit))
        elif kind == "symbol":
            terms.add(unit)
        else:
            terms.update(map(add, unit, unit[1:]))
            terms.update(_HAN.findall(unit))  # one of them is a word often enough
    return terms


def _units(folded: str) -> list[tuple[str, str]]:
    return [(found.lastgroup or "", found[0]) for found in _UNIT.finditer(folded)]


@lru_cache(maxsize=16_384)  # the same words again and again
def _of_word(word: str) -> tuple[str, ...]:
    return (word,) if len(word) == 1 else tuple(word[:length] for length in BEGINNINGS if length <= len(word))


@dataclass(frozen=True, slots=True)
class Needle:
    """One thing that a text must hold: a beginning of a word, a run of characters, or a phrase. ``units`` are its parts
    with their kinds, one after the other. ``is_exact``: the words of it end where they end.

    ``terms`` are those of every text that holds it, be it among others; none where no index helps.
    """

    units: tuple[tuple[str, str], ...]
    is_exact: bool
    terms: frozenset[str]

    def stands_in(self, folded: str) -> bool:
        return next(self.spans(folded), None) is not None

    def spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Where it begins and ends in a folded text, each time."""
        kind, first = self.units[0]
        start = folded.find(first)
        while start >= 0:
            is_inside = kind == "word" and start > 0 and _IN_WORD.match(folded, start - 1)
            end = 0 if is_inside else self._end(folded, start)
            if end:
                yield start, end
            start = folded.find(first, end or start + 1)

    def _end(self, folded: str, place: int) -> int:
        """Where it ends that begins at ``place``; 0 where it does not stand there."""
        previous = ""
        for kind, unit in self.units:
            if previous:
                after = _BETWEEN.match(folded, place).end()
                if previous == kind == "word" and after == place:
                    return 0
                place = after
            if not folded.startswith(unit, place):
                return 0
            place += len(unit)
            if kind == "word" and (self.is_exact or len(unit) == 1) and _IN_WORD.match(folded, place):
                return 0
            previous = kind
        return place


def needles_of(query: str) -> list[Needle]:
    """What somebody looks for who typed ``query``: all words of it, and what is in quotation marks as it stands."""
    needles: dict[Needle, None] = {}
    for quoted, bare in _PHRASES.findall(query):
        units = _units(fold(quoted or bare))
        for group in [units] if quoted and units else [[unit] for unit in units]:
            terms = frozenset(term for kind, unit in group for term in _sought(kind, unit))
            needles[Needle(tuple(group), bool(quoted), terms)] = None
    return list(needles)


def _sought(kind: str, unit: str) -> Iterable[str]:
    """The terms of every text that holds ``unit``."""
    if kind == "word":
        return _of_word(unit)[-1:]
    if kind == "run" and len(unit) > 1:
        return map(add, unit, unit[1:])
    return [unit] if kind == "symbol" or _HAN.match(unit) else []


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, and whether it is what somebody looked for."""

    text: str
    is_match: bool


def excerpt(text: str, needles: list[Needle]) -> list[Piece]:
    """The part of ``text``, EXCERPT_CHARS at most, where the first of ``needles`` stands, with all that do marked."""
    folded, starts, ends = _folded_with_places(text)
    spans = sorted((starts[start], ends[end - 1]) for needle in needles for start, end in needle.spans(folded))
    begin, end = _window(text, spans[0][0] if spans else 0)
    pieces = [Piece("…", False)] if begin else []
    place = begin
    for start, stop in spans:
        start, stop = max(start, place), min(stop, end)
        if start < stop:
            if start > place:
                pieces.append(Piece(text[place:start], False))
            pieces.append(Piece(text[start:stop], True))
            place = stop
    if place < end:
        pieces.append(Piece(text[place:end], False))
    if end < len(text):
        pieces.append(Piece("…", False))
    return pieces


def _window(text: str, first: int) -> tuple[int, int]:
    """Where an excerpt begins and ends that holds what stands at ``first``; not within a character, nor, where there is
    a space near, within a word."""
    if len(text) <= EXCERPT_CHARS:
        return 0, len(text)
    begin = max(0, min(first - _BEFORE_CHARS, len(text) - EXCERPT_CHARS))
    if begin:
        space = re.compile(r"\s").search(text, begin, begin + _BEFORE_CHARS // 2)
        begin = space.end() if space else begin
    while begin and _continues(text[begin]):
        begin -= 1
    end = min(len(text), begin + EXCERPT_CHARS)
    while begin < end < len(text) and _continues(text[end]):
        end -= 1
    return begin, end


def _continues(char: str) -> bool:
    return unicodedata.category(char)[0] == "M" or char in "\u200d\ufe0e\ufe0f"


def _folded_with_places(text: str) -> tuple[str, list[int], list[int]]:
    """``text`` folded, and where in it each character of that begins and ends."""
    folded: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _CLUSTER.finditer(text):
        chars = _fold_cluster(found[0])
        folded.append(chars)
        starts += [found.start()] * len(chars)
        ends += [found.end()] * len(chars)
    return "".join(folded), starts, ends


@lru_cache(maxsize=16_384)
def _fold_cluster(cluster: str) -> str:
    return fold(cluster)

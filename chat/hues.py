"""The colour of somebody's letter: one of a few, which follows from their key where they chose none."""

import unicodedata

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

HUES = 12  # as static/css/message.css has them, and static/js/lib/hues.js
NAMES = (  # a colour that is chosen is chosen by name as well
    _("Red"),
    pgettext_lazy("colour", "Orange"),
    _("Amber"),
    _("Moss"),
    _("Green"),
    _("Jade"),
    _("Teal"),
    _("Sky"),
    _("Blue"),
    _("Violet"),
    _("Plum"),
    pgettext_lazy("colour", "Rose"),
)
_OFFSET, _PRIME = 0x811C9DC5, 0x01000193


def hue_of(author_key: str, chosen: int | None = None) -> int:
    """From 0 to 11: what they chose, or FNV-1a (32 bits) of their key."""
    if chosen is not None:
        return chosen % HUES
    value = _OFFSET
    for byte in author_key.encode():
        value = (value ^ byte) * _PRIME & 0xFFFFFFFF
    return value % HUES


def letter_of(name: str) -> str:
    """What stands for a name where there is room for one letter: its first character and what belongs to it."""
    letters = ""
    for character in name.lstrip("@"):
        if letters and not unicodedata.combining(character):
            break
        letters += character
    return letters.upper()[:4]

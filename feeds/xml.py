"""XML, made by a serialiser and never by joining strings."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

# What XML 1.0 cannot hold, not even escaped; and what Unicode will never give a meaning.
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


def legal(text: str) -> str:
    """``text`` with U+FFFD for each character that does not belong into XML."""
    return _ILLEGAL.sub("\ufffd", text)


def add(parent: Element, tag: str, text: str | None = None, **attributes: str) -> Element:
    """A new element at the end of ``parent``."""
    element = SubElement(parent, tag, {name: legal(value) for name, value in attributes.items()})
    if text is not None:
        element.text = legal(text)
    return element


def serialise(root: Element) -> bytes:
    """The document, in UTF-8."""
    return tostring(root, encoding="utf-8", xml_declaration=True)

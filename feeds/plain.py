"""Text for terminals and files that one looks at in them: nothing in it is more than text. Pure."""

import re

# C0 and C1 controls but for line ends and tabs, and what turns the direction of a line (UAX #9), isolates and marks
# among them: a terminal closes none of them at the end of a line, and with it somebody else's would read differently.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """``text`` with U+FFFD for whatever a terminal would obey rather than show."""
    return _CONTROLS.sub("\ufffd", text)

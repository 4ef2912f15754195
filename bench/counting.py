"""How often a marker occurs in what a connection sends, however that is cut into pieces. Pure."""


class Marker:
    """Bytes that are in each posted message exactly once on the wire.

    ``quiet`` is a byte that is not in the marker: what ends with it ends outside of any marker, so that nothing
    need be remembered. It is the last byte of nearly every piece. ``extent`` is how many bytes must be there for the
    marker to count, where what follows it is read as well.
    """

    __slots__ = ("bytes", "extent", "quiet")

    def __init__(self, marker: bytes, quiet: bytes, extent: int = 0) -> None:
        assert len(quiet) == 1  # noqa: S101 – what the caller must have done
        assert quiet not in marker  # noqa: S101 – what the caller must have done
        self.bytes = marker
        self.quiet = quiet[0]
        self.extent = max(extent, len(marker))

    def count(self, piece: bytes | bytearray, tail: bytes = b"") -> tuple[int, bytes]:
        """How many markers end in ``piece``, which follows ``tail``, and the tail to give with the next piece."""
        joined = tail + piece
        return joined.count(self.bytes), self.tail_of(joined)

    def positions(self, piece: bytes | bytearray, tail: bytes = b"") -> tuple[list[int], bytes, bytes]:
        """Where in ``tail + piece`` a marker and its extent begin, that text, and the tail for the next piece."""
        joined = tail + piece
        found = []
        at = joined.find(self.bytes)
        while at >= 0:
            if at + self.extent > len(joined):
                return found, bytes(joined), bytes(joined[at:])
            found.append(at)
            at = joined.find(self.bytes, at + len(self.bytes))
        return found, bytes(joined), self.tail_of(joined)

    def tail_of(self, content: bytes | bytearray) -> bytes:
        """The end of ``content`` that a marker might begin with: shorter than one, so that none counts twice."""
        for length in range(min(len(self.bytes) - 1, len(content)), 0, -1):
            if content.endswith(self.bytes[:length]):
                return self.bytes[:length]
        return b""

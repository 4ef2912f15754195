"""Installs Twisted's reactor on uvloop's event loop, by being imported: before Daphne, which else installs one on
Python's. Where uvloop is not to be had (it is not made for Windows), Daphne's stays.
"""

import sys

try:
    import uvloop
except ImportError:
    uvloop = None

from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.internet.main import installReactor
from twisted.internet.tcp import Connection


class Reactor(AsyncioSelectorReactor):
    """Twisted's, for a loop that gives up a descriptor after an error on it.

    When a connection is reset, uvloop reports it as readable once more, and then never again. What was still there to
    be read hides the reset from Twisted, which reads once. So here it reads again; and whoever finds the descriptor
    closed when they want something of it has lost the connection.
    """

    def addReader(self, reader: IReadDescriptor) -> None:
        try:
            super().addReader(reader)
        except RuntimeError:
            self.callLater(0, self._give_up, reader)

    def addWriter(self, writer: IWriteDescriptor) -> None:
        try:
            super().addWriter(writer)
        except RuntimeError:
            self.callLater(0, self._give_up, writer)

    def _readOrWrite(self, selectable: IReadDescriptor | IWriteDescriptor, read: bool) -> None:
        super()._readOrWrite(selectable, read)
        if read and selectable in self._readers and isinstance(selectable, Connection):
            super()._readOrWrite(selectable, read)  # to find what was hidden behind what was just read

    def _give_up(self, descriptor: IReadDescriptor | IWriteDescriptor) -> None:
        if getattr(descriptor, "connected", False):
            self._disconnectSelectable(descriptor, ConnectionLost(), isRead=False)


if uvloop is not None and "twisted.internet.reactor" not in sys.modules:
    installReactor(Reactor(uvloop.new_event_loop()))

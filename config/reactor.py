"""Installs Twisted's reactor on uvloop's event loop, by being imported: before Daphne, which else installs one on
Python's. Where uvloop is not to be had (it is not made for Windows), Daphne's stays.
"""

import sys

try:
    import uvloop
except ImportError:
    uvloop = None

from twisted.internet import asyncioreactor

if uvloop is not None and "twisted.internet.reactor" not in sys.modules:
    asyncioreactor.install(uvloop.new_event_loop())

"""What the page says in words: how it was measured, how to read it, what cannot be concluded."""

MEASURED = """\
## How it was measured

One command runs every system on the same machine, one after the other: A B C, A B C, so that a machine that drifts does
so for all. Each run starts a fresh server, on a core of its own; the load has another, the database and Redis a third.
Several server processes (`bin/start --workers`) have one core each as far as there are cores: with four, one shares the
database's. After a warm-up, a window of a few seconds is measured. The server's CPU is that of its processes, children
included; what the kernel does for them is in it, what it does elsewhere is not.

**The load** is one process and one loop over raw sockets, which counts the messages in what it reads and parses
nothing. `ceiling` measures it against processes that only send. Where its core was busy for more than 90 % of the
time, the row says *limited by the load*: the system may do more.

**Every run is checked.** Each connection must have been told of each message exactly once, or the run fails with a
sentence. Of each transport, five connections are kept to the last byte and read again: every message in order, none
missing. A system that drops beyond some number in flight is not asked for more."""

READ = """\
## How to read it

Compare rows of one table, and ratios rather than numbers: another machine gives other numbers, and the same one
tomorrow, too.

*In flight* is how many messages the publisher keeps under way. A system that joins what waits gains with more of them:
*messages a read* says how many a follower got with one read. A system that writes each alone has one there, unless the
load lags behind and finds several: where the load's core was the limit, it tells nothing of the system.

*Latency* is from before a text is written to a socket to after it was read from another, so the load's own work for a
thousand receipts, about four milliseconds, is in the last of them, for every system alike. In `reconnect`,
`history` and `archive` the settings are `bench.counted_settings`, which count queries at less than a microsecond each.

*Clicks* in `moderation` are few, so that their p99 is the slowest or nearly. The clock is read when the load has read
from all connections that had something, so a click seems some milliseconds slower than it was, never faster."""

NOT_CONCLUDED = """\
## What cannot be concluded

- **Nothing of networks.** There is no network, no TLS and no proxy in it; clients are never slow, and none asks for
  compression. Loopback hands data over in the sender's time, so a server pays for work that a network card's interrupt
  would do elsewhere.
- **Nothing of years and millions.** 10,000 connections and five seconds say little of those.
- **Not that one system is better.** They do not do the same: Engawa commits each message to disk, numbers it and can be
  resumed from it; the tutorial, Node `ws` and Socket.IO keep nothing, and nchan keeps it in memory.
- **Not all of the memory.** Idle memory is that of the processes; the kernel keeps some kilobytes for each socket
  besides.
- **Not how disks compare.** What a commit costs is the disk's, and this machine's may lie about having written."""

TARGETS = """\
What Engawa is meant to reach, and what would be a dream. The multiples are of the medians below; where the other
system's row was limited by the load, it may do more, and the multiple is at best."""

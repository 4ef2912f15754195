"""What the parent of several workers decides by itself."""

import errno
import socket

import pytest
from django.core.management import CommandError

from config.management.commands.start import number_of_workers
from config.workers import listen, pause_before


def test_a_worker_that_dies_is_missed_at_first_at_once_and_then_ever_less() -> None:
    pauses = [pause_before(failure) for failure in range(1, 10)]
    assert pauses == [0, 0.5, 1, 2, 4, 8, 8, 8, 8]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]"])
def test_the_sockets_share_one_port_and_with_nobody_else(host: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    listening = listen(host, port, 3)
    try:
        assert {each.getsockname()[1] for each in listening} == {port}
        assert not any(each.get_inheritable() for each in listening)
        with pytest.raises(OSError, match="in use") as raised:
            listen(host, port, 2)
        assert raised.value.errno == errno.EADDRINUSE
    finally:
        for each in listening:
            each.close()


def test_a_number_of_workers_is_read_strictly() -> None:
    assert number_of_workers("1") == 1
    assert number_of_workers("64") == 64
    for junk in ("0", "-1", "65", "1.5", "x", "", " ", "²"):
        with pytest.raises(CommandError, match="is not between 1 and 64"):
            number_of_workers(junk)

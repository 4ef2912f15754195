"""Peers that vanish without a word are found within a minute."""

import subprocess

import pytest


@pytest.mark.timeout(180)
def test_half_open_connections_are_found(half_open: subprocess.Popen) -> None:
    said, complained = half_open.communicate()
    assert half_open.returncode == 0, complained
    assert float(said) < 60

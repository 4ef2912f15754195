"""All that ships, running, for the tests of this folder that look at it from outside; a room of its own for each."""

import itertools
from collections.abc import Iterator

import pytest

from tests.deploy.topology import Topology, topology_in
from tests.faults.cluster import SETTINGS, make_room

_rooms = itertools.count(1)


@pytest.fixture(scope="package")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with topology_in(tmp_path_factory.mktemp("topology"), SETTINGS) as topology:
        yield topology


@pytest.fixture
def room(topology: Topology) -> str:
    with topology.http(follow_redirects=True) as http:
        return make_room(http, f"veranda {next(_rooms)}")

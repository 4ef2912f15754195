"""All that ships, running, for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.deploy.topology import Topology, topology_in
from tests.faults.cluster import SETTINGS


@pytest.fixture(scope="package")
def topology(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Topology]:
    with topology_in(tmp_path_factory.mktemp("topology"), SETTINGS) as topology:
        yield topology

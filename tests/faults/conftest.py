"""What the faults happen to: processes of Engawa, shared by a module, and a room of its own for each test."""

import itertools
from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, cluster_on
from tests.servers import Postgres, Redis

_rooms = itertools.count(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, redis: Redis) -> Iterator[Cluster]:
    """Three processes on PostgreSQL and Redis."""
    folder = tmp_path_factory.mktemp("cluster")
    with cluster_on(folder, DATABASE_URL=postgres.fresh_database(), REDIS_URL=redis.url) as cluster:
        yield cluster


@pytest.fixture
def room(cluster: Cluster) -> str:
    return cluster.make_room(f"veranda {next(_rooms)}")

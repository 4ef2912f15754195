"""A small cast: Olga owns the room, Mio is a member of it, Sven has an account and nothing else, Gil is a guest."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from chat import actions, indexing
from chat.identity import Identity, new_guest
from chat.models import Membership, Room, User

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow, as it should be


@pytest.fixture(autouse=True)
def nothing_left_in_the_index(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What empties the tables after a test that commits knows only those of models, and the index has none."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if marker and marker.kwargs.get("transaction"):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {indexing.TABLE}")


@pytest.fixture
def cast(db: None) -> SimpleNamespace:
    people = {name: User.objects.create_user(name) for name in ("olga", "mio", "sven")}
    room, _ = actions.create_room(people["olga"].identity, "Veranda")
    Membership.objects.create(room=room, user=people["mio"])
    return SimpleNamespace(
        room=room,
        gil=new_guest("Gil"),
        **{name: user.identity for name, user in people.items()},
        users=SimpleNamespace(**people),
    )


@pytest.fixture
def room(cast: SimpleNamespace) -> Room:
    return cast.room


@pytest.fixture
def gil(cast: SimpleNamespace) -> Identity:
    return cast.gil

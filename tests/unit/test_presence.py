from chat.follower import Follower
from chat.identity import new_guest
from chat.presence import EXPIRE_SECONDS, PUBLISH_SECONDS, Count, Presence, count
from chat.protocol import ENGAWA_V1


def follower(actor=None) -> Follower:
    return Follower(form=ENGAWA_V1, send=None, close=None, actor=actor)


def test_people_are_counted_once_and_viewers_each() -> None:
    gil = new_guest()
    assert count({follower(gil), follower(gil), follower(new_guest()), follower(), follower()}) == Count(2, 2)


def test_what_a_process_said_is_forgotten_when_it_is_silent() -> None:
    presence = Presence(here=Count(1, 0))
    assert presence.to_tell(0) == Count(1, 0)
    presence.hear("another", Count(2, 5), 10)
    assert presence.to_tell(10) == Count(3, 5)
    assert presence.to_tell(11) is None
    presence.hear("another", Count(2, 5), 20)
    assert presence.to_tell(10 + EXPIRE_SECONDS) is None
    assert presence.to_tell(20 + EXPIRE_SECONDS) == Count(1, 0)


def test_it_publishes_changes_and_otherwise_now_and_then() -> None:
    presence = Presence(here=Count(1, 1))
    assert presence.to_publish(0) == Count(1, 1)
    assert presence.to_publish(1) is None
    presence.here = Count(1, 2)
    assert presence.to_publish(2) == Count(1, 2)
    assert presence.to_publish(2 + PUBLISH_SECONDS) == Count(1, 2)
    presence.here = Count()
    assert presence.to_publish(13) == Count()
    assert presence.to_publish(13 + PUBLISH_SECONDS) is None

"""Whom a GRIP proxy asks about, and the link by which it does.

Viewers of one room who are alike have one link, and the proxy makes one request for those it asks about at the same
moment. So nothing is in it of a viewer without a name but a sixteenth of all networks, their *crowd*: where a network
in it was banned since, all of it is sent away to come back, and be judged by where each comes from.

What a link says is encrypted: it may stand in the proxy's log, and there is a session in some.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings
from django.utils.crypto import salted_hmac

from chat.identity import Grant, Identity


@dataclass(frozen=True, slots=True)
class Held:
    """Somebody with a ``grant``, a person, or anybody, who is told in ``language`` what comes after the number
    ``after`` (None: after the one that the proxy names).

    A person is a guest (``actor``) or who is signed in by ``session_key``, from ``network``, and was last told of these
    ``rights``. Others come from ``crowd``, a part of all networks, of which ``ban`` is the newest that was banned.
    """

    grant: Grant | None = None
    actor: Identity | None = None
    session_key: str | None = None
    network: str = ""
    rights: str = ""
    crowd: str = ""
    ban: int = 0
    language: str = ""
    after: int | None = None


def crowd_of(network: str) -> str:
    """The part of all networks that one, as its keyed hash, belongs to."""
    return network[:1]


def sealed(slug: str, held: Held) -> str:
    """What a link to a room says: the same for viewers who are alike, and nothing to who has not our secret. It is part
    of a path, for by paths and cursors alone the proxy knows whether two requests are one."""
    if held.session_key is not None:
        who = ["account", held.session_key, held.network, held.rights]
    elif held.actor is not None:
        who = ["guest", held.actor.key, held.actor.name, held.actor.since, held.network, held.rights]
    else:
        grant = held.grant
        who = ["anybody", grant and [grant.token_id, grant.room_id, grant.ends_at], held.crowd, held.ban]
    content = json.dumps([held.language, held.after, *who]).encode()
    return urlsafe_b64encode(_cipher(settings.SECRET_KEY).encrypt(content, [slug.encode()])).decode().rstrip("=")


def opened(slug: str, link: str) -> Held | None:
    """Whom a link speaks of; None where it is not one of ours, for that room."""
    try:
        sealed = urlsafe_b64decode(link + "=" * (-len(link) % 4))
        language, after, *who = json.loads(_cipher(settings.SECRET_KEY).decrypt(sealed, [slug.encode()]))
    except (ValueError, InvalidTag):
        return None
    common = {"language": language, "after": after}
    match who:
        case ["account", session_key, network, rights]:
            return Held(session_key=session_key, network=network, rights=rights, **common)
        case ["guest", key, name, since, network, rights]:
            guest = Identity(key=key, name=name, kind="guest", since=since, network=network)
            return Held(actor=guest, network=network, rights=rights, **common)
        case ["anybody", grant, crowd, ban]:
            return Held(grant=grant and Grant(*grant), crowd=crowd, ban=ban, **common)


@lru_cache(maxsize=4)
def _cipher(secret: str) -> AESSIV:
    # The same content gives the same link, which is what lets the proxy make one request of many.
    return AESSIV(salted_hmac("engawa.held", "link", secret=secret, algorithm="sha512").digest())

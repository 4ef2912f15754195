"""The account of somebody who signs in with one elsewhere. How they come and go is in tests/live/test_oidc.py."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import errors, oidc, people, screening
from chat.models import OutsideIdentity, User

ISSUER = "https://accounts.example.org"


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ("sara", "sara"),
        (" Mio Ōta ", "Mio-Ōta"),
        ("rita@den.example", "rita"),
        ("@den.example", "somebody"),
        ("ﬁona", "fiona"),
        ("a\u202eb", "a-b"),
        ("x" * 1000, "x" * (screening.MAX_USERNAME_CHARS - 7)),
        ("", "somebody"),
        (None, "somebody"),
        (7, "somebody"),
        (["sara"], "somebody"),
    ],
)
def test_they_are_called_as_they_wish_as_far_as_that_is_a_name(wanted: object, name: str) -> None:
    assert list(islice(oidc.names_like(wanted), 2)) == [name, f"{name}-2"]


@given(st.one_of(st.text(), st.none(), st.integers()))
def test_whatever_they_wish_there_are_names_that_fit(wanted: object) -> None:
    names = list(oidc.names_like(wanted))
    assert len(set(names)) > 20
    for name in names:
        assert 0 < len(name) <= screening.MAX_USERNAME_CHARS
        assert "@" not in name


@pytest.mark.django_db
def test_who_comes_twice_at_one_moment_has_one_account(monkeypatch) -> None:
    first = oidc.open_account(ISSUER, "s-1", "sara", None)
    second = oidc.open_account(ISSUER, "s-1", "sara", None)  # who asked before the first was there
    assert first == second == oidc.account_of(ISSUER, "s-1")
    assert User.objects.count() == 1, "nothing is left of the other"
    assert oidc.account_of("https://other.example", "s-1") is None
    assert oidc.account_of(ISSUER, "S-1") is None
    assert not first.has_usable_password()


@pytest.mark.django_db
def test_where_no_name_is_left_there_is_no_account(monkeypatch) -> None:
    def taken(*args: object) -> None:
        raise errors.NameTaken()

    monkeypatch.setattr(people, "sign_up", taken)
    with pytest.raises(errors.NameTaken):
        oidc.open_account(ISSUER, "s-1", "sara", None)
    assert not OutsideIdentity.objects.exists()

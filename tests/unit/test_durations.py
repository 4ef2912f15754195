import pytest

from chat import errors
from chat.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), (" 2H ", 7200), ("3d", 259_200), ("2 w", 1_209_600), ("forever", None)],
)
def test_a_time_is_a_number_and_a_unit(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "0h", "-2h", "1.5h", "2h30m", "2y", "٣d", "9999999999s", "for ever"])
def test_nothing_is_guessed(text: str) -> None:
    with pytest.raises(errors.DurationInvalid):
        seconds_of(text)

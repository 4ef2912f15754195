"""What language a text is in: pages and scripts say the same."""

import json
import subprocess
from pathlib import Path

import pytest

from chat.writing import SIMPLIFIED, TRADITIONAL, language_of
from tests.parts import node
from tests.servers import ROOT

CASES = json.loads(Path(__file__).with_name("languages_of_texts.json").read_text())


@pytest.mark.parametrize(("text", "expected", "found"), CASES)
def test_the_script_of_a_text_says_its_language(text: str, expected: str, found: str | None) -> None:
    assert language_of(text, expected) == found


def test_scripts_say_the_same() -> None:
    module = (ROOT / "static/js/lib/language_of.js").as_uri()
    program = (
        f"import {{ languageOf }} from {json.dumps(module)};\n"
        f"const cases = {json.dumps(CASES)};\n"
        "console.log(JSON.stringify(cases.map(([text, expected]) => [text, expected, languageOf(text, expected)])));"
    )
    command = [node(), "--input-type=module", "--eval", program]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == CASES


def test_no_character_is_of_both_ways_of_writing_chinese_or_frequent_in_japanese() -> None:
    assert not set(SIMPLIFIED) & set(TRADITIONAL)
    for character in SIMPLIFIED:
        code = int.from_bytes(character.encode("shift_jis", "replace"))
        assert not 0x889F <= code <= 0x9872, character  # JIS level 1


def test_scripts_know_the_same_characters() -> None:
    script = (ROOT / "static/js/lib/language_of.js").read_text()
    for characters in (SIMPLIFIED, TRADITIONAL):
        for start in range(0, len(characters), 50):
            assert characters[start : start + 50] in script

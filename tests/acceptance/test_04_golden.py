"""The same input gives the same bytes: issue 64 as Ada gets it, letter for letter.

After a change of theme or issue: pytest tests/acceptance/test_04_golden.py --update-golden, then read the difference.
The HTML and the text that are inside have readable golden files of their own, in tests/theme/golden/.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from story import Desk

GOLDEN = Path(__file__).parent / "golden" / "064.eml"


def rendered(desk: Desk, folder: str) -> dict[str, bytes]:
    """Issue 64 as Ada gets it, by suffix."""
    done = desk.run("render", "64", "--out", folder, "--as", "ada@example.org")
    assert done.code == 0
    return {
        suffix: (desk.root / folder / f"064.{suffix}").read_bytes()
        for suffix in ("html", "txt", "eml")
    }


def test_the_message_is_the_golden_one(desk: Desk, golden: Callable[[Path, bytes], None]) -> None:
    golden(GOLDEN, rendered(desk, "out")["eml"])


def test_the_same_input_twice_gives_the_same_bytes(desk: Desk) -> None:
    assert rendered(desk, "once") == rendered(desk, "again")


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_order_of_pythons_sets_does_not_show(desk: Desk, seed: str) -> None:
    desk.variables["PYTHONHASHSEED"] = seed
    assert rendered(desk, "out")["eml"] == GOLDEN.read_bytes()


def test_another_secret_changes_only_what_is_keyed(desk: Desk) -> None:
    one = rendered(desk, "once")["txt"].decode()
    desk.variables["NEWSLETTER_SECRET"] = "quite another secret"
    two = rendered(desk, "again")["txt"].decode()
    different = [(a, b) for a, b in zip(one.splitlines(), two.splitlines(), strict=True) if a != b]
    assert different
    assert all("https://weekly.example.org/" in a for a, _ in different)

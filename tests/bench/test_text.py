"""Numbers as people read them."""

import pytest

from edgesr.bench.text import significant, with_uncertainty


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.000"), (1061.23, "1061"), (15230.4, "15230"), (68.5, "68.50"),
     (0.0000123456, "0.00001235"), (0.5, "0.5000"), (1e6, "1000000")],
)  # fmt: skip
def test_four_digits(value: float | None, text: str) -> None:
    assert significant(value) == text


@pytest.mark.parametrize(
    ("value", "uncertainty", "text"),
    [
        (14.0712, 0.129, "14.07 ± 0.13"),
        (0.24131, 0.0557, "0.241 ± 0.056"),
        (11.1, 10.2, "11 ± 11"),
        (15.0, 0.00074, "15.000 ± 0.001"),
        (-0.031, 0.043, "-0.031 ± 0.043"),
        (1234.5, 120.0, "1234 ± 120"),
        (5.0, None, "5.000"),
        (5.0, 0.0, "5.000"),
        (None, 1.0, "-"),
    ],
)
def test_an_uncertainty_is_never_shown_too_small(
    value: float | None, uncertainty: float | None, text: str
) -> None:
    assert with_uncertainty(value, uncertainty) == text

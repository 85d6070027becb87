"""An error names an argument of the library, and the option of the command line."""

from pathlib import Path

import pytest

from edgesr.errors import Argument, ConfigError, EdgesrError, ImageError


@pytest.mark.parametrize(
    ("argument", "said", "option"),
    [
        (Argument("tile"), "tile", "--tile"),
        (Argument("tile", 64), "tile=64", "--tile 64"),
        (Argument("power_mode", "maxn-super"), "power_mode='maxn-super'",
         "--power-mode maxn-super"),
        (Argument("overwrite", True), "overwrite=True", "--overwrite"),
        (Argument("data", Path("my sets")), "data='my sets'", "--data 'my sets'"),
        (Argument("alpha", 0), "alpha=0", "--alpha 0"),
    ],
)  # fmt: skip
def test_an_argument_and_its_option(argument: Argument, said: str, option: str) -> None:
    assert str(argument) == said
    assert argument.option == option


def test_an_error_of_an_argument_in_both_languages() -> None:
    error = ConfigError("too large", where=Argument("tile"), fix=Argument("tile", 64))
    assert error.field == "tile"
    assert str(error) == "tile: too large\n  try: tile=64"
    shown = error.as_options()
    assert type(shown) is ConfigError
    assert str(shown) == "--tile: too large\n  try: --tile 64"
    assert str(error.as_options({"tile": "side"})) == "--side: too large\n  try: --side 64"


def test_an_error_of_a_file_is_the_same_in_both() -> None:
    error = ImageError("damaged", where=Path("a.png"), fix="another picture")
    assert error.field is None
    assert str(error) == str(error.as_options()) == "a.png: damaged\n  try: another picture"
    assert EdgesrError("alone").as_options().advice is None

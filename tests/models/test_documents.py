"""The documents about networks say what is so."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgesr.models import get_network
from edgesr.models.network import parameter_count

DOCS = Path(__file__).parents[2] / "docs"
ROWS = re.findall(
    r"^\| `([^`]+)` \| ([\d,]+) \|", (DOCS / "networks.md").read_text(), flags=re.MULTILINE
)

WITH_ONE_FILE_MORE = """
import sys
import edgesr.models
edgesr.models.__path__.append(sys.argv.pop(1))
from edgesr.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize(("name", "parameters"), ROWS)
def test_the_table_of_parameters(name: str, parameters: str) -> None:
    assert f"{parameter_count(get_network(name).module(4)):,}" == parameters


def test_the_table_holds_the_figures_of_the_paper() -> None:
    figures = dict(ROWS)
    assert figures["dvmsr"] == "424,428"
    assert figures["student-paper"] == "141,008"
    assert figures["mambalitesr:D60-G4-B2-R30"] == "366,828"
    ranks = [int(figures[f"mambalitesr:D60-G4-B2-R{r}"].replace(",", "")) for r in (30, 2)]
    assert ranks[0] - ranks[1] == 107_520


def test_the_table_of_families_names_what_there_is() -> None:
    names = (DOCS / "networks.md").read_text().partition("## Names")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| [^|]+ \| (.+) \|$", names, flags=re.MULTILINE)
    assert len(rows) >= 8
    for family, configurations in rows:
        assert re.findall(r"`([^`]+)`", configurations), family
        for name, options in re.findall(r"`([^`]+)`(?: = ([A-Z0-9-]+))?", configurations):
            named = get_network(name)
            if options:
                assert named.summary == get_network(f"{family}:{options}").summary


def test_the_network_of_the_guide_works(tmp_path: Path) -> None:
    guide = (DOCS / "adding-a-network.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    (tmp_path / "pocket.py").write_text(code)
    names = ["-m", "pocket", "-m", "pocket:C32"]
    result = subprocess.run(
        [sys.executable, "-c", WITH_ONE_FILE_MORE, str(tmp_path), "models", *names, "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    small, large = json.loads(result.stdout)["networks"]
    assert small["parameters"] == 16 * 28 + 48 * (16 * 9 + 1)
    assert large["parameters"] == 32 * 28 + 48 * (32 * 9 + 1)

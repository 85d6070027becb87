"""What tests of `edgesr bench` share."""

import json
from typing import Any

import pytest

from edgesr.cli import main


def bench(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> tuple[Any, str]:
    """Run with --json; return the document, None after an error, and standard error."""
    with pytest.raises(SystemExit) as exit_:
        main(["bench", "--input", "16x16", "--threads", "1", *map(str, arguments), "--json"])
    captured = capsys.readouterr()
    assert exit_.value.code == code, captured.err
    assert "Traceback" not in captured.err
    return json.loads(captured.out) if captured.out else None, captured.err

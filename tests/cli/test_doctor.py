import json

import pytest

from edgesr.cli import main


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["doctor", *arguments])
    return stop.value.code


def test_json_agrees_with_the_exit_code(capsys):
    code = run("--json")
    document = json.loads(capsys.readouterr().out)
    states = {check["state"] for check in document["checks"]}
    assert code == (1 if "missing" in states else 0)
    assert document["next"]
    assert {"edgesr", "numpy", "board", "TensorRT"} <= {c["name"] for c in document["checks"]}


def test_the_table_names_the_next_command(capsys):
    run()
    out = capsys.readouterr().out
    assert "next:" in out
    assert "onnxruntime" in out

#!/bin/sh
# Runs the tests of the base install with exactly the lowest versions that setup.cfg allows, in an
# environment of its own that is gone afterwards. What needs an extra is skipped, and only that.
#   sh tests/lowest.sh [PYTHON]     PYTHON: python3.10, the lowest one, unless named
set -eu
cd "$(dirname "$0")/.."
python=${1:-python3.10}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM
"$python" -m venv "$folder"
"$python" tests/lowest.py >"$folder/lowest.txt"
"$folder/bin/python" -m pip install -q -c "$folder/lowest.txt" -e . "pytest>=8" "pytest-timeout>=2.3"
"$folder/bin/python" -m pip freeze --exclude-editable
"$folder/bin/python" -m pytest -q --long --skips base

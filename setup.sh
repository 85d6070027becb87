#!/bin/sh
# Sets up .venv beside this file, then does one job:
#   sh setup.sh demo    upscales the bundled photo
#   sh setup.sh test    runs every check: ruff, mypy, pytest with the long tests
set -eu
cd "$(dirname "$0")"

case ${1:-} in
    demo) extras="" ;;
    test) extras="[dev]" ;;
    *) echo "usage: sh setup.sh demo|test" >&2; exit 2 ;;
esac

# Debian keeps venv, and the libraries that OpenCV's wheel links to, in packages of their own.
missing=""
python3 -c "import ensurepip, venv" 2>/dev/null || missing="$missing python3-venv"
/sbin/ldconfig -p | grep -q "libGL\.so\.1 " || missing="$missing libgl1"
/sbin/ldconfig -p | grep -q "libglib-2\.0\.so\.0 " || missing="$missing libglib2.0-0"
debian=""
grep -q "^ID=debian" /etc/os-release && debian=yes
if [ "$1" = test ] && [ -n "$debian" ]; then
    # For tests of the HTML report and of the server's page, which are skipped where it is absent.
    command -v chromium >/dev/null || missing="$missing chromium"
    command -v curl >/dev/null || missing="$missing curl"
    command -v shellcheck >/dev/null || missing="$missing shellcheck"
    # Judge what pictures say of themselves, and clips; those tests are skipped likewise.
    command -v exiftool >/dev/null || missing="$missing libimage-exiftool-perl"
    command -v ffmpeg >/dev/null || missing="$missing ffmpeg"
fi
if [ "$1" = test ] && [ -n "$debian" ] && ! command -v gst-launch-1.0 >/dev/null; then
    for part in tools plugins-base plugins-good plugins-bad plugins-ugly libav rtsp x; do
        missing="$missing gstreamer1.0-$part"  # the tests of a live picture; skipped likewise
    done
    # What those tests look at a picture with: a screen, a grabber of it and an RTSP server.
    missing="$missing xvfb ffmpeg python3-gi gir1.2-gst-rtsp-server-1.0"
fi
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -q
    # shellcheck disable=SC2086  # a list of words
    $sudo apt-get install -y -q --no-install-recommends $missing
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install -q -c constraints.txt -e ".$extras"

if [ "$1" = demo ]; then
    mkdir -p runs  # which git ignores
    exec .venv/bin/edgesr upscale tests/data/photo.png -o runs/photo_x4.png --overwrite
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy
# A file's tests share what they make, so a file stays with one process; long files come first. On
# Debian, where all that the tests use is installed above, a skip that nobody expects is a failure.
exec .venv/bin/python -m pytest -q --long -n 2 --dist loadfile --no-loadscope-reorder ${debian:+--skips dev}

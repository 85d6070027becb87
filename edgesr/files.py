"""Files that are never half-written: write beside, flush, rename; and reading that ends."""

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from edgesr.errors import ConfigError, EdgesrError, shell

_NOT_A_NAME = re.compile(r"[^A-Za-z0-9]")
_NAME_BYTES, _RANDOM_BYTES = 255, 8  # of a file's name at most, and what mkstemp puts into it


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; rename it onto `path` if the block succeeds.

    The temporary name keeps the suffix, because encoders choose the format by it. On any exception
    the temporary file is removed and whatever stood at `path` is untouched. A killed process leaves
    its file; the next one that writes into that folder removes it.

    Raises:
        ConfigError: the folder does not exist or cannot be written, or `path` is a folder, or a
            device, a pipe or a socket, which a rename would put an end to.
        EdgesrError: the disk is full.
    """
    try:
        refuse_folder(path)
        if path.exists() and not path.is_file():
            raise ConfigError("is no file that could be replaced", where=path, fix="another name")
        _remove_leftovers(path.parent)
        handle, name = _make_temporary(path)
    except OSError as error:
        fix = "another folder" if path.parent.is_dir() else f"mkdir -p {shell(path.parent)}"
        raise ConfigError(f"cannot write here ({error.strerror})", where=path, fix=fix) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _flush_and_take_mode(temporary)
        temporary.replace(path)
    except OSError as error:
        raise EdgesrError(f"cannot write ({error.strerror})", where=path) from error
    finally:
        temporary.unlink(missing_ok=True)


def refuse_folder(path: Path) -> None:
    """See that no folder stands where a file goes; no rename would put the file there.

    Raises:
        ConfigError: one does.
    """
    if path.is_dir():
        raise ConfigError("a folder stands where the file goes", where=path, fix="another name")


def _make_temporary(path: Path) -> tuple[int, str]:
    """Make a file beside `path`; of its name it has as much as a file's name has room for."""
    mark = f"{_mark()}{os.getpid()}."
    room = _NAME_BYTES - len(os.fsencode(f".{mark}{path.suffix}")) - _RANDOM_BYTES
    # By the encoding that names have here: an ASCII locale cannot write what UTF-8 reads in one.
    stem = os.fsencode(path.stem)[: max(room, 0)].decode(sys.getfilesystemencoding(), "ignore")
    return tempfile.mkstemp(prefix=f".{stem}{mark}", suffix=path.suffix, dir=path.parent)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder for temporary files, which is removed with all of them at the end.

    A killed process leaves its folder; the next one that asks for one removes it.

    Raises:
        EdgesrError: it cannot be made; the disk is full, say.
    """
    try:
        place = Path(tempfile.gettempdir())
        _remove_leftovers(place)
        folder = Path(tempfile.mkdtemp(prefix=f".folder{_mark()}{os.getpid()}.", dir=place))
    except OSError as error:
        raise EdgesrError(
            f"no temporary folder can be made ({error.strerror})", where=error.filename, fix="df -h"
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _mark() -> str:
    """Return what names of temporary files hold before the process that they belong to.

    The machine's name is in it, because another machine's process is not known here.
    """
    return f".edgesr-{_NOT_A_NAME.sub('', platform.node())}-"


def _remove_leftovers(folder: Path) -> None:
    """Remove the temporary files and folders in a folder of processes that are no more."""
    ours = re.compile(rf"\..*{re.escape(_mark())}(\d+)\.[^.]+(\..*)?")
    with os.scandir(folder) as entries:
        found = [
            (Path(entry.path), entry.is_dir(follow_symlinks=False), match[1])
            for entry in entries
            if entry.name.startswith(".") and (match := ours.fullmatch(entry.name))
        ]
    for path, is_folder, pid in found:
        if _is_alive(int(pid)):
            continue
        if is_folder:
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # another user's
                path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True  # another user's; or no number of a process: not ours to remove
    return True


def make_folder(path: Path) -> None:
    """Make a folder and those above it; it may be there already.

    Raises:
        ConfigError: it cannot be made, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot be made a folder ({error.strerror})", where=path, fix="another folder"
        ) from error


def _flush_and_take_mode(temporary: Path) -> None:
    """Bring the file to disk before the rename, with the mode an ordinary `open` would give."""
    umask = os.umask(0)
    os.umask(umask)
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.chmod(0o666 & ~umask)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` atomically."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically, as `utf8` has it."""
    write_bytes(path, utf8(text))


def utf8(text: str) -> bytes:
    """Return text as UTF-8, with `?` for what a file's name may hold and UTF-8 does not.

    Names are bytes; those that the locale's encoding does not have are lone surrogates in Python.
    """
    return text.encode("utf-8", "replace")


def utf8_text(text: str) -> str:
    """Return text as `utf8` has it, without lone surrogates."""
    return utf8(text).decode()


@contextmanager
def utf8_path(path: Path) -> Iterator[Path]:
    """Yield a path of a file for libraries that take UTF-8 only: the file's own, or a link to it.

    A name is any bytes on Linux; one of an old system, or out of a broken archive, is no UTF-8.

    Raises:
        EdgesrError: a link is needed, and there is no room for one.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError:
        with temporary_folder() as folder:
            link = folder / "file"
            link.symlink_to(path.absolute())
            yield link
    else:
        yield path


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, keys in the order given, atomically."""
    write_text(path, to_json(value))


def to_json(value: Any) -> str:
    """Return `value` as the text that `write_json` writes."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, never a pipe or a device, which may have no end or no writer.

    Raises:
        OSError: it cannot be read, or is no regular file nor a link to one.
    """
    # Without O_NONBLOCK the opening of a pipe waits for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return os.fdopen(descriptor, "rb")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content as 64 hexadecimal digits.

    Raises:
        OSError: as `open_regular`.
    """
    digest = hashlib.sha256()
    with open_regular(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()

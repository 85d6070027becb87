"""The fields of a protobuf message, read from its bytes (Protocol Buffers, encoding)."""

from collections.abc import Iterator
from typing import NamedTuple

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class BrokenError(ValueError):
    """The bytes are no protobuf message, or one beyond our bounds."""


class MessageField(NamedTuple):
    """One field of a message.

    Attributes:
        number: that the definition of the message gives it.
        start: where its content begins.
        end: where that ends.
        value: of a whole number; None: the content is bytes or a number of fixed length.
        is_bytes: whether the content is a text, bytes, packed numbers or a message.
    """

    number: int
    start: int
    end: int
    value: int | None
    is_bytes: bool


def fields(content: bytes, start: int, end: int) -> Iterator[MessageField]:
    """Yield the fields of the message that lies from `start` to `end` in `content`.

    Raises:
        BrokenError: the bytes are no message.
    """
    at = start
    while at < end:
        key, at = varint(content, at)
        wire, value, begin = key & 7, None, at
        if wire == _BYTES:
            length, begin = varint(content, at)
            at = begin + length
        elif wire == _VARINT:
            value, at = varint(content, at)
        elif wire in (_FIXED32, _FIXED64):
            at += 4 if wire == _FIXED32 else 8
        else:
            raise BrokenError(f"a part of the unknown kind {wire}")
        if at > end:
            raise BrokenError("a part is longer than what holds it")
        yield MessageField(key >> 3, begin, at, value, wire == _BYTES)


def varint(content: bytes, at: int) -> tuple[int, int]:
    """Return (value, position behind it) of a number of variable length, at most ten bytes.

    Raises:
        BrokenError: the content ends early, or the number is longer.
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            raise BrokenError("it ends early")
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise BrokenError("a number is too long")


def numbers(content: bytes, field: MessageField) -> Iterator[int]:
    """Yield the whole numbers of a repeated field, whether packed or one to a field.

    Raises:
        BrokenError: they are no numbers of variable length.
    """
    if field.value is not None:
        yield field.value
        return
    at = field.start
    while field.is_bytes and at < field.end:
        value, at = varint(content, at)
        yield value

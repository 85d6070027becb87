"""What a clip holds beside the video that is enlarged: audio, subtitles, covers, fonts.

Streams are copied as they are. One that the result's container does not hold is a refusal if a
person would miss it, and a note if it is a track of data that no player shows.
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from edgesr.errors import ImageError
from edgesr.video.source import opened, reason, video_stream

if TYPE_CHECKING:
    from av import VideoStream
    from av.container import InputContainer, OutputContainer
    from av.stream import Stream

_CHAPTER_TAG = "text"  # of the track in which MP4 files keep their chapters


def add_others(
    result: "OutputContainer", source: "InputContainer", moved: "VideoStream"
) -> "dict[int, Stream]":
    """Add the streams that are copied to a result.

    Args:
        result: whose header is not written yet.
        source: the clip.
        moved: its stream that is enlarged.

    Returns:
        The result's stream by the index of the source's.

    Raises:
        ValueError: the container does not hold one of them.
    """
    added: dict[int, Stream] = {}
    for stream in source.streams:
        if stream.index == moved.index or stream.type in ("data", "unknown"):
            continue
        if stream.type == "attachment":
            _attach(result, stream)
            continue
        if stream.codec_context is None:
            continue
        copy = result.add_stream_from_template(stream, opaque=True)
        copy.metadata.update({k: v for k, v in stream.metadata.items() if k != "encoder"})
        copy.disposition = stream.disposition
        added[stream.index] = copy
    return added


def _attach(result: "OutputContainer", stream: "Stream") -> None:
    from av.stream import AttachmentStream

    if isinstance(stream, AttachmentStream) and result.format.name == "matroska":
        name = stream.metadata.get("filename", "attachment")
        kind = stream.mimetype or "application/octet-stream"
        result.add_attachment(name, kind, stream.data)


def dropped(source: "InputContainer", format_name: str) -> tuple[str, ...]:
    """Return what is not copied, one sentence each."""
    notes = []
    for stream in source.streams:
        tag = getattr(stream, "codec_tag", "")
        if stream.type in ("data", "unknown") and not (source.chapters() and _is_chapters(stream)):
            notes.append(f"stream {stream.index}, data{f' ({tag})' if tag else ''}, was not kept")
        elif stream.type == "attachment" and format_name != "matroska":
            notes.append(f"stream {stream.index}, an attachment, was not kept; MKV holds it")
        elif stream.type not in ("data", "unknown", "attachment") and stream.codec_context is None:
            notes.append(f"stream {stream.index}, {stream.type} of an unknown codec, was not kept")
    return tuple(notes)


def _is_chapters(stream: "Stream") -> bool:
    """Tell whether a data stream is the text of chapters, which are kept as chapters."""
    return stream.metadata.get("handler_name") in ("SubtitleHandler", "TextHandler", "Chapters")


def check_holds(source: Path, format_name: str) -> None:
    """Refuse a container that does not hold what is copied, before the work.

    Raises:
        ImageError: it does not.
    """
    import av

    with opened(source) as container:
        moved = video_stream(container, source)
        for stream in container.streams:
            kept = stream.type in ("audio", "subtitle", "video")
            if stream.index == moved.index or not kept or stream.codec_context is None:
                continue
            try:
                with av.open(io.BytesIO(), "w", format=format_name) as trial:
                    trial.add_stream_from_template(stream, opaque=True)
                    trial.start_encoding()
            except (av.FFmpegError, ValueError) as error:
                codec = stream.codec_context.codec.canonical_name
                raise ImageError(
                    f"{format_name} does not hold its {stream.type} ({codec}: {reason(error)})",
                    where=source,
                    fix="-o RESULT.mkv",
                ) from error

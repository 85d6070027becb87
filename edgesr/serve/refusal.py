"""Answers that are no picture: a status and a JSON object that says what, where and what next."""

import json
from collections.abc import Mapping

from edgesr.errors import Argument, EdgesrError, ImageError, LimitError


class RequestRefusal(Exception):  # noqa: N818  (an answer first, and seldom an error of ours)
    """A request that gets no picture.

    Args:
        status: of HTTP.
        what: one sentence without a full stop: what is wrong.
        where: the part of the request it concerns.
        next_step: what to change.
        headers: further fields of the answer.
    """

    def __init__(
        self,
        status: int,
        what: str,
        where: str,
        next_step: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.status = status
        self.what = what
        self.where = where
        self.next_step = next_step
        self.headers = dict(headers or {})

    def document(self) -> bytes:
        """Return the body of the answer, JSON in UTF-8."""
        content = {"what": self.what, "where": self.where, "next": self.next_step}
        return json.dumps(content, ensure_ascii=False).encode() + b"\n"


def refusal_of(error: EdgesrError) -> RequestRefusal:
    """Return the answer for a picture that could not be enlarged.

    Pictures that are at fault are answered by 422, or by 413 where they are too large; an option of
    the command line is told as one of the query. Anything else is the server's fault, 500, and its
    text, which may name files of this machine, is not for clients.
    """
    if isinstance(error, LimitError):
        advice = "send a smaller picture"
        if error.advice is not None:
            command = error.advice.replace("COMMAND ...", "serve")
            advice = f"{advice}; who runs the server raises the limit: {command}"
        return RequestRefusal(413, error.what, "body", advice)
    if not isinstance(error, ImageError):
        advice = "tell who runs the server; its log says more"
        return RequestRefusal(500, "the network failed at this picture", "server", advice)
    advice = "send another picture"
    if isinstance(error.fix, Argument):
        advice = f"POST /upscale?{error.fix.name}={error.fix.value}"
    elif error.fix is not None:
        advice = error.fix
    return RequestRefusal(422, error.what, "body", advice)

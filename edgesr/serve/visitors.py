"""Which requests are let in: those meant for this machine, from its own page or from a program.

A browser runs the pages of strangers inside the local network. A page can point its own name at
this machine's address (DNS rebinding) and would then count as our page: so only names that are
ours are answered. Or it can send requests across: so one that names another page is refused.
Programs send no Origin and are let in. Pure.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from edgesr.serve.refusal import RequestRefusal

_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")


@dataclass(frozen=True)
class Visitor:
    """What a request says about who sent it.

    Attributes:
        method: of HTTP.
        host: header Host.
        origin: header Origin, which browsers send with every POST and with what crosses pages.
        fetch_site: header Sec-Fetch-Site of newer browsers.
        fetch_mode: header Sec-Fetch-Mode of theirs.
    """

    method: str
    host: str | None = None
    origin: str | None = None
    fetch_site: str | None = None
    fetch_mode: str | None = None

    @property
    def follows_link(self) -> bool:
        """Whether a person went here from another page, as links and bookmarks do."""
        return self.method in ("GET", "HEAD") and self.fetch_mode == "navigate"


def check_visitor(visitor: Visitor, names: Collection[str]) -> None:
    """Refuse a request that a stranger's page makes.

    Args:
        visitor: who asks.
        names: of this machine, in lower case.

    Raises:
        Refusal: 403.
    """
    if visitor.host is None or not _is_ours(visitor.host, names):
        raise RequestRefusal(
            403,
            "this name is not one of this server's",
            "header Host",
            "use its address, or start it with edgesr serve --name NAME",
        )
    foreign = visitor.origin is not None and not _same_place(visitor.origin, visitor.host)
    crossing = visitor.fetch_site in ("cross-site", "same-site") and not visitor.follows_link
    if foreign or crossing:
        raise RequestRefusal(
            403,
            "requests of other pages are not answered",
            "header Origin" if foreign else "header Sec-Fetch-Site",
            "use the server's own page, or a program outside the browser",
        )


def _is_ours(host: str, names: Collection[str]) -> bool:
    """Tell whether a Host header has one of our names, or an IP address: nobody rebinds those."""
    found = _HOST.fullmatch(host)
    if found is None:
        return False
    name = found[1].lower().rstrip(".")
    if name == "localhost" or name in names:
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _same_place(origin: str, host: str) -> bool:
    """Tell whether an Origin is the server that Host names, scheme aside: a proxy may add TLS."""
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host.lower()

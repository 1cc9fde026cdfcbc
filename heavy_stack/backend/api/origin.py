"""Is a request that carries a session cookie sent by one of our own pages?

A browser names the page's origin in `Origin`. Behind a forwarding proxy the Host header is the proxy's inner name, so a
comparison with it alone would make every page dead: `HEAVY_PUBLIC_URL` says what browsers see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Origins:
    """The origins whose pages may change something here.

    Attributes:
        public: Scheme and host under which browsers see the service (`HEAVY_PUBLIC_URL`), or None.
        proxies: Addresses whose `X-Forwarded-Host` is believed.
    """

    public: str | None = None
    proxies: tuple[str, ...] = ()

    def allow(self, headers: Mapping[str, str], peer: str) -> bool:
        """True when the request comes from a page of ours. Without `Origin` the `Referer` must say so.

        Args:
            headers: The request's headers.
            peer: Address of the socket's other end.
        """
        said = headers.get("origin") or headers.get("referer")
        origin = _split(said) if said else None
        if origin is None:
            return False
        if self.public is not None:
            public = _split(self.public)
            if public is not None and _same(origin, public):
                return True
        host = headers.get("x-forwarded-host") if is_trusted(peer, self.proxies) else None
        here = _split(f"{origin.scheme}://{(host or headers.get('host') or '').split(',')[0].strip()}")
        return here is not None and _same(origin, here)


def is_trusted(peer: str, proxies: tuple[str, ...]) -> bool:
    """True when the forwarded headers of that address are believed."""
    return peer in proxies or "*" in proxies


def client_address(headers: Mapping[str, str], peer: str, proxies: tuple[str, ...]) -> str:
    """Who is at the other end: the socket's, or behind believed proxies the last address that none of them is."""
    if not is_trusted(peer, proxies):
        return peer
    chain = [part.strip() for part in (headers.get("x-forwarded-for") or "").split(",") if part.strip()]
    return next((address for address in reversed(chain) if address not in proxies), peer)


def _split(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return None
    return parts if parts.scheme in _DEFAULT_PORTS and parts.hostname else None


def _same(one: SplitResult, other: SplitResult) -> bool:
    return (one.scheme, one.hostname, one.port or _DEFAULT_PORTS[one.scheme]) == (
        other.scheme,
        other.hostname,
        other.port or _DEFAULT_PORTS[other.scheme],
    )

"""What a setting's value may be, as types: each refuses what could not work, and says how it is written.

Comes in: values as files, variables and flags have them. Goes out: the same values, or a ValueError. Does not know:
which settings there are.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr, StringConstraints
from pydantic_settings import NoDecode

SHORTEST_TOKEN = 16


def _store(address: str) -> str:
    """An address a database is reached by, or none."""
    if address and not address.startswith(("postgresql://", "postgres://")):
        raise ValueError("write it like postgresql://user@host:5432/database")
    return address


def _origin(site: str) -> str:
    """A site as a browser names it: scheme, host, port where it is not the usual one, and nothing else."""
    if not re.fullmatch(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?", site):
        raise ValueError(
            f"{site!r} is no origin: write it like https://www.example.org, lower case, no path, no final /"
        )
    return site


def _host(name: str) -> str:
    """A name as a browser's Host header has it, without a port."""
    if not re.fullmatch(r"\[[0-9a-f:.]+\]|[a-z0-9]([a-z0-9.-]*[a-z0-9])?", name):
        raise ValueError(f"{name!r} is no host name: write it like help.example.org, lower case, no scheme, no port")
    return name


def _listed(sites: object) -> object:
    """A variable holds several sites between commas or spaces."""
    return tuple(re.findall(r"[^\s,]+", sites)) if isinstance(sites, str) else sites


def _rate(limit: str) -> str:
    """Counts by time, such as "20/minute, 200/hour"; "" for no limit."""
    one = r"[1-9]\d{0,6}/(second|minute|hour|day)"
    if not re.fullmatch(f"({one}(, ?{one})*)?", limit):
        raise ValueError(f'{limit!r} is no limit: write it like "20/minute, 200/hour", or "" for none')
    return limit


def _proxy(address: str) -> str:
    """An address or network as the ipaddress module reads it."""
    ipaddress.ip_network(address)
    return address


Rate = Annotated[str, AfterValidator(_rate)]
Proxies = Annotated[tuple[Annotated[str, AfterValidator(_proxy)], ...], NoDecode, BeforeValidator(_listed)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]
Origins = Annotated[tuple[Annotated[str, AfterValidator(_origin)], ...], NoDecode, BeforeValidator(_listed)]
Hosts = Annotated[tuple[Annotated[str, AfterValidator(_host)], ...], NoDecode, BeforeValidator(_listed)]


def _long(token: SecretStr) -> SecretStr:
    if 0 < len(token.get_secret_value()) < SHORTEST_TOKEN:
        raise ValueError(f"it has fewer than {SHORTEST_TOKEN} characters")
    return token


StoreAddress = Annotated[str, AfterValidator(_store)]
Token = Annotated[SecretStr, AfterValidator(_long)]


def api_address(url: str, plain_http: bool) -> str:
    """The address of an API, without a / at its end; over plain http only on this machine, unless that is allowed."""
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole or re.search(r"[^\x21-\x7e]|[?#@]", url):
        raise ValueError("write it like https://api.example.org/v1, without a name, a key or a question mark in it")
    if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not plain_http:
        raise ValueError("questions would travel unencrypted: use https, or set composer.plain_http to true")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine; a name other than localhost is not looked up."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""Addresses of Mastodon accounts (`user@domain`), and what URIs tell of them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["address_of_uri", "host_of", "read_address"]

#: What servers let pass as a name; other software than Mastodon allows dots and dashes.
NAME = re.compile(r"[\w.-]{1,100}")
DOMAIN = re.compile(r"[\w.-]{1,253}(?::\d{1,5})?")
LONGEST_URI = 2_048


def read_address(text: str, local: str = "") -> str | None:
    """Return an address in lower case, or None; `local` is the domain where it has none.

    Examples
    --------
    >>> read_address("@Ana@Example.org"), read_address("bo", "town.example"), read_address("bo")
    ('ana@example.org', 'bo@town.example', 'bo')
    >>> read_address("Account address") is None
    True
    """
    name, at, domain = text.strip().removeprefix("@").lower().partition("@")
    domain = domain if at else local
    if at and not domain:
        return None
    if not NAME.fullmatch(name) or (domain and not DOMAIN.fullmatch(domain)):
        return None
    return f"{name}@{domain}" if domain else name


def host_of(uri: str) -> str:
    """Return the server of a URI in lower case, "" if it is none.

    Examples
    --------
    >>> host_of("https://Town.example/users/bo")
    'town.example'
    """
    if len(uri) > LONGEST_URI or not uri.startswith(("https://", "http://")):
        return ""
    try:
        parts = urlsplit(uri)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    host = f"{(parts.hostname or '').lower()}{port}"
    return host if DOMAIN.fullmatch(host) else ""


def address_of_uri(uri: str, known: dict[str, str]) -> str | None:
    """Return whose account or post a URI is, or None where it does not say.

    Parameters
    ----------
    uri
        Of an account, or of one of its posts.
    known
        URIs of accounts whose addresses were told elsewhere (mentions); numeric ones need it.

    Examples
    --------
    >>> address_of_uri("https://town.example/users/Bo/statuses/7", {})
    'bo@town.example'
    >>> address_of_uri("https://town.example/@Bo/7", {})
    'bo@town.example'
    >>> address_of_uri("https://pictures.example/p/Bo/9771", {})
    'bo@pictures.example'
    >>> uri = "https://town.example/ap/users/115/statuses/7"
    >>> address_of_uri(uri, {}) is None
    True
    >>> address_of_uri(uri, {"https://town.example/ap/users/115": "bo@town.example"})
    'bo@town.example'
    """
    host = host_of(uri)
    if not host:
        return None
    owner = _owner(uri)
    if owner in known:
        return known[owner]
    if uri in known:
        return known[uri]
    words = urlsplit(uri).path.strip("/").split("/")
    if len(words) >= 2 and words[0] == "users":
        return read_address(words[1], host)
    if words[0].startswith("@") and words[0].count("@") == 1:
        return read_address(words[0], host)
    # Pixelfed's posts, which archives of Mastodon hold among the likes.
    if len(words) == 3 and words[0] == "p" and words[2].isdigit():
        return read_address(words[1], host)
    return None


def _owner(uri: str) -> str:
    """Return the part of a post's URI that names the account."""
    for mark in ("/statuses/", "/posts/", "/notes/"):
        before, found, _ = uri.partition(mark)
        if found:
            return before
    return uri.partition("#")[0].rstrip("/")

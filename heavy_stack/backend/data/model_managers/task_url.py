"""Takes the credentials out of a task's `url`, whatever way they were written into it.

The address is never dialled here, and a strange one is no error: it may be unreachable, which the report then says.
What matters is that no secret stays in the text that is stored and shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import unquote_plus

# Parts of parameter names that carry a secret, in Trino's JDBC driver (password, accessToken, SSLTrustStorePassword,
# SSLKeyStorePassword, extraCredentials, KerberosKeytabPath, …), in MotherDuck's (motherduck_token) and elsewhere.
SECRET_WORDS = (
    "password",
    "passwd",
    "pwd",
    "secret",
    "token",
    "credential",
    "keytab",
    "apikey",
    "api_key",
    "privatekey",
)


@dataclass(frozen=True)
class CleanUrl:
    """An address that can be shown, and what was taken out of it (parameter name → decoded value)."""

    url: str
    credentials: dict[str, str] = field(default_factory=dict)


def is_secret_name(name: str) -> bool:
    """True when a parameter or field of this name carries a secret."""
    flat = name.casefold().replace("-", "")
    return any(word in flat for word in SECRET_WORDS)


def take_credentials(url: str) -> CleanUrl:
    """Split an address into what may be stored in clear and what may not.

    User info (`//user:password@host`) goes as a whole; of the parameters those with a secret's name go, and also what
    follows one of them without a `=`: a password with an unescaped separator in it is cut there, and its tail is
    as secret as its head. The parameter `user` stays.
    """
    credentials: dict[str, str] = {}
    base, mark, query = _without_user_info(url, credentials).partition("?")
    separators = "&" if base.casefold().startswith(("jdbc:trino:", "jdbc:presto:")) else "&;"
    base = _keep_open_segments(base, "" if separators == "&" else ";", credentials, has_base=True)
    query = _keep_open_segments(query, separators, credentials, has_base=False)
    return CleanUrl(base + (mark + query if query else ""), credentials)


def _without_user_info(url: str, credentials: dict[str, str]) -> str:
    scheme, slashes, rest = url.partition("//")
    if not slashes:
        return url
    head = rest.partition("?")[0]
    end = head.rfind("@")
    if end < 0 and "@" in rest and not _has_plain_port(head):
        # `//user:pass?word@host`: the question mark belongs to the password, so the last @ ends the user info.
        end = rest.rfind("@")
    if end < 0:
        return url
    user, colon, password = rest[:end].partition(":")
    if user:
        credentials["user"] = unquote_plus(user)
    if colon:
        credentials["password"] = unquote_plus(password)
    return scheme + slashes + rest[end + 1 :]


def _has_plain_port(head: str) -> bool:
    _, colon, port = head.partition("/")[0].rpartition(":")
    return not colon or port.isdigit() or port.endswith("]")


def _keep_open_segments(text: str, separators: str, credentials: dict[str, str], *, has_base: bool) -> str:
    kept: list[str] = []
    secret: str | None = None
    for index, (separator, segment) in enumerate(_segments(text, separators)):
        name, equals, value = segment.partition("=")
        name = unquote_plus(name).strip()
        if has_base and index == 0:
            kept.append(segment)
        elif equals and is_secret_name(name):
            secret = name
            credentials[name] = unquote_plus(value)
        elif secret is not None and not equals:
            credentials[secret] += separator + unquote_plus(segment)
        else:
            secret = None
            kept.append((separator if kept else "") + segment)
    return "".join(kept)


def _segments(text: str, separators: str) -> list[tuple[str, str]]:
    if not text:
        return []
    found: list[tuple[str, str]] = []
    separator, start = "", 0
    for index, char in enumerate(text):
        if char in separators:
            found.append((separator, text[start:index]))
            separator, start = char, index + 1
    found.append((separator, text[start:]))
    return found

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
    end = _end_of_user_info(rest) if slashes else -1
    if end < 0:
        return url
    user, colon, password = rest[:end].partition(":")
    if user:
        credentials["user"] = unquote_plus(user)
    if colon:
        credentials["password"] = unquote_plus(password)
    return scheme + slashes + rest[end + 1 :]


def _end_of_user_info(rest: str) -> int:
    """Where the @ stands that ends `user:password`; -1 when there is none. The password may be badly escaped."""
    head, _, tail = rest.partition("?")
    if "@" not in head:
        # `user:pass?word@host`: what stands behind the colon is no port, so the question mark is the password's.
        return -1 if _has_plain_port(head) else rest.rfind("@")
    end = head.rfind("@")
    # `user:p@ss?word@host`: an @ behind the question mark that is in no parameter's value is the password's too.
    at = len(head) + 1
    for segment in tail.replace(";", "&").split("&"):
        before, sign, _ = segment.rpartition("@")
        if sign and "=" not in before:
            end = at + len(before)
        at += len(segment) + 1
    return end


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

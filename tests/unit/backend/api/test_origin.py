"""Whose pages may change something."""

from __future__ import annotations

import pytest

from heavy_stack.backend.api.origin import Origins, client_address

PEER = "10.0.0.9"


class TestOrigins:
    class TestAllow:
        @pytest.mark.parametrize(
            ("origin", "host", "allowed"),
            [
                ("http://app.example:8000", "app.example:8000", True),
                ("http://APP.example", "app.example:80", True),
                ("https://app.example", "app.example:443", True),
                ("http://app.example:8000", "app.example:8001", False),
                ("http://evil.example", "app.example", False),
                ("http://app.example.evil.example", "app.example", False),
                ("null", "app.example", False),
                ("file://", "app.example", False),
                ("http://app.example:port", "app.example", False),
                ("http://[::1]:8000", "[::1]:8000", True),
            ],
        )
        def test_compares_with_the_host_that_was_asked(self, origin: str, host: str, allowed: bool) -> None:
            assert Origins().allow({"origin": origin, "host": host}, PEER) is allowed

        def test_accepts_the_public_address_behind_a_proxy_that_rewrites_host(self) -> None:
            origins = Origins(public="https://name-8000.forward.example")
            headers = {"origin": "https://name-8000.forward.example", "host": "localhost:8000"}
            assert origins.allow(headers, PEER)
            assert not Origins().allow(headers, PEER)
            assert not origins.allow(headers | {"origin": "http://name-8000.forward.example"}, PEER)

        def test_reads_the_referer_where_there_is_no_origin(self) -> None:
            assert Origins().allow({"referer": "http://app.example/tasks/1", "host": "app.example"}, PEER)
            assert not Origins().allow({"referer": "http://evil.example/app.example", "host": "app.example"}, PEER)

        def test_refuses_a_request_that_says_nothing(self) -> None:
            assert not Origins().allow({"host": "app.example"}, PEER)

        def test_believes_the_forwarded_host_of_a_named_proxy_only(self) -> None:
            headers = {"origin": "https://app.example", "host": "inner:8000", "x-forwarded-host": "app.example"}
            assert Origins(proxies=(PEER,)).allow(headers, PEER)
            assert not Origins(proxies=("10.0.0.8",)).allow(headers, PEER)


class TestClientAddress:
    def test_is_the_peer_unless_that_is_a_believed_proxy(self) -> None:
        headers = {"x-forwarded-for": "1.1.1.1, 2.2.2.2, 10.0.0.8"}
        assert client_address(headers, PEER, ()) == PEER
        assert client_address(headers, PEER, (PEER, "10.0.0.8")) == "2.2.2.2"
        assert client_address({}, PEER, (PEER,)) == PEER

"""Credentials leave the address, however they were written into it."""

from __future__ import annotations

import pytest

from heavy_stack.backend.data.model_managers.task_url import is_secret_name, take_credentials

SECRET = "pl4nted-Secret"


class TestTakeCredentials:
    class TestParameters:
        def test_takes_the_password_and_keeps_the_user(self) -> None:
            clean = take_credentials(f"jdbc:trino://h:443/cat/sch?user=ann&password={SECRET}&SSL=true")
            assert clean.url == "jdbc:trino://h:443/cat/sch?user=ann&SSL=true"
            assert clean.credentials == {"password": SECRET}

        @pytest.mark.parametrize(
            "name", ["password", "accessToken", "SSLTrustStorePassword", "SSLKeyStorePassword", "extraCredentials"]
        )
        def test_takes_every_secret_parameter_of_the_driver(self, name: str) -> None:
            clean = take_credentials(f"jdbc:trino://h:8080/c?{name}={SECRET}")
            assert clean.url == "jdbc:trino://h:8080/c"
            assert clean.credentials == {name: SECRET}

        def test_sees_through_an_escaped_name_and_another_case(self) -> None:
            clean = take_credentials(f"jdbc:trino://h:8080/c?p%61ssWORD={SECRET}")
            assert SECRET not in clean.url
            assert clean.credentials == {"passWORD": SECRET}

        def test_decodes_the_value(self) -> None:
            assert take_credentials("jdbc:trino://h/c?password=a%26b%3Dc").credentials == {"password": "a&b=c"}

        def test_an_unescaped_separator_cuts_no_password_in_two(self) -> None:
            clean = take_credentials("jdbc:trino://h/c?password=abc&d;e?f&user=ann")
            assert clean.url == "jdbc:trino://h/c?user=ann"
            assert clean.credentials == {"password": "abc&d;e?f"}

        def test_reads_semicolons_of_other_drivers(self) -> None:
            clean = take_credentials(f"jdbc:duckdb:/lake;motherduck_token={SECRET};threads=2")
            assert clean.url == "jdbc:duckdb:/lake;threads=2"
            assert clean.credentials == {"motherduck_token": SECRET}

    class TestUserInfo:
        @pytest.mark.parametrize(
            "url",
            [
                f"jdbc:trino://ann:{SECRET}@h:8080/c",
                f"jdbc:trino://ann:x@{SECRET}@h:8080/c",
                f"jdbc:trino://ann:x/{SECRET}@h:8080/c",
                f"jdbc:trino://ann:x?{SECRET}@h:8080/c",
                f"jdbc:trino://ann:x@y/z?{SECRET}@h:8080/c",
                f"jdbc:trino://ann:x@y?z&{SECRET};@h:8080/c",
                f"jdbc:trino://{SECRET}@h:8080/c",
            ],
        )
        def test_goes_as_a_whole(self, url: str) -> None:
            clean = take_credentials(url)
            assert clean.url == "jdbc:trino://h:8080/c"
            assert SECRET in "".join(clean.credentials.values())

        def test_an_at_sign_in_a_parameter_is_no_user_info(self) -> None:
            url = "jdbc:trino://h:8080/c?user=ann@example.org"
            assert take_credentials(url).url == url

        def test_goes_while_the_at_sign_in_a_parameter_stays(self) -> None:
            clean = take_credentials(f"jdbc:trino://ann:{SECRET}@h:8080/c?user=ann@example.org&SSL=true")
            assert clean.url == "jdbc:trino://h:8080/c?user=ann@example.org&SSL=true"

        def test_an_ipv6_host_stays(self) -> None:
            url = "jdbc:trino://[::1]:8080/c?user=ann@example.org"
            assert take_credentials(url).url == url

    class TestOtherAddresses:
        @pytest.mark.parametrize(
            "url", ["", "jdbc:duckdb:/data/lake", "jdbc:duckdb:/data/a;b.duckdb", "anything at all", "jdbc:trino://h/c"]
        )
        def test_without_a_secret_stay_as_they_are(self, url: str) -> None:
            clean = take_credentials(url)
            assert clean.url == url
            assert clean.credentials == {}


class TestIsSecretName:
    def test_knows_the_user_is_no_secret(self) -> None:
        assert not is_secret_name("user")
        assert is_secret_name("KerberosKeytabPath")
        assert is_secret_name("api-key")

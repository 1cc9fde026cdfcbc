"""The HTML around the pages."""

from __future__ import annotations

import re

from heavy_stack.frontend.documents import app_document, render_error
from heavy_stack.frontend.sign_in_page import render_sign_in

_ADDRESS = re.compile(r'(?:src|href|action)="([^"]*)"')


class TestAppDocument:
    def test_each_page_has_a_nonce_of_its_own_that_its_policy_names(self) -> None:
        one, two = app_document("Task", "ann", "/"), app_document("Task", "ann", "/")
        nonces = [re.findall(r'nonce="([^"]+)"', page.html) for page in (one, two)]
        assert len(set(nonces[0])) == len(set(nonces[1])) == 1
        assert nonces[0][0] != nonces[1][0]
        assert f"'nonce-{nonces[0][0]}'" in one.headers["content-security-policy"]

    def test_every_inline_script_has_the_nonce(self) -> None:
        page = app_document("Task", "ann", "/").html
        inline = [tag for tag in re.findall(r"<script[^>]*>", page) if "src=" not in tag]
        assert inline
        assert all("nonce=" in tag for tag in inline)

    def test_no_address_leads_to_another_host(self) -> None:
        addresses = _ADDRESS.findall(app_document("Task", "ann", "/").html)
        assert addresses
        assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in addresses)

    def test_events_are_slimmed_before_the_client_loads(self) -> None:
        page = app_document("Task", "ann", "/").html
        assert page.index("/static/js/slim.js") < page.index("mountReactPy")

    def test_names_are_escaped(self) -> None:
        page = app_document("<i>", '<b>"ann"', "/").html
        assert "<b>" not in page
        assert "<i>" not in page

    def test_the_page_policy_has_no_inline_styles_and_no_frames(self) -> None:
        policy = app_document("Task", "ann", "/").headers["content-security-policy"]
        assert "unsafe-inline" not in policy
        assert "frame-ancestors 'none'" in policy


class TestRenderError:
    def test_a_missing_page_says_so_and_leads_home(self) -> None:
        page, headers = render_error(404, "Not Found", "There is nothing <here>.")
        assert "Page not found" in page
        assert "&lt;here&gt;" in page
        assert 'href="/"' in page
        assert "content-security-policy" in headers

    def test_other_errors_keep_their_title(self) -> None:
        assert "<h1>Unprocessable Content</h1>" in render_error(422, "Unprocessable Content", "No file.")[0]


class TestRenderSignIn:
    def test_it_is_a_plain_form_with_the_three_fields(self) -> None:
        page = render_sign_in("n", None, "/tasks/1?a=b")
        assert '<form method="post" action="/sign-in">' in page
        assert 'name="next" value="/tasks/1?a=b"' in page
        assert 'name="user"' in page
        assert 'name="password" type="password"' in page
        assert 'role="alert"' not in page

    def test_what_comes_from_outside_is_escaped(self) -> None:
        page = render_sign_in("n", "<script>1</script>", '/"><script>2</script>')
        assert "<script>1" not in page
        assert "<script>2" not in page
        assert 'role="alert"' in page

    def test_it_loads_no_script(self) -> None:
        assert "<script" not in render_sign_in("n", None, "/")

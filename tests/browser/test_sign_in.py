"""Signing in and out."""

from __future__ import annotations

from tests.browser.conftest import StoredTasks, Visiting, sign_in
from tests.support.settings import TEST_PASSWORD
from tests.support.web_server import USER


class TestSignIn:
    def test_a_page_asks_first_and_then_goes_where_one_wanted_to(self, visiting: Visiting, tasks: StoredTasks) -> None:
        page = visiting(fresh=True).page
        page.goto(f"/tasks/{tasks.full}/result?page=1")
        assert page.url.split("?")[0].endswith("/sign-in")
        page.wait_for_selector("#user:focus")  # the form asks for the user at once
        page.keyboard.type(USER)
        page.keyboard.press("Tab")
        page.wait_for_selector("#password:focus")
        page.keyboard.type(TEST_PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/tasks/{tasks.full}/result?page=1")
        page.wait_for_selector(".headline")

    def test_a_wrong_password_is_said_in_words(self, visiting: Visiting) -> None:
        visit = visiting(fresh=True)
        visit.page.goto("/sign-in")
        visit.page.fill("#user", USER)
        visit.page.fill("#password", "wrong")
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_selector("[role=alert]")
        assert "Wrong" in (visit.page.text_content("[role=alert]") or "")
        visit.complaints[:] = [c for c in visit.complaints if "401" not in c]

    def test_signing_out_ends_the_session(self, visiting: Visiting) -> None:
        page = visiting(fresh=True).page
        sign_in(page)
        page.wait_for_selector("#app h1")
        page.click("text=Sign out")
        page.wait_for_url("**/sign-in")
        page.goto("/")
        assert "/sign-in" in page.url

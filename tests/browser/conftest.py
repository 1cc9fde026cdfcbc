"""For browser tests: one server, one Chromium, and pages that fail their test when anything goes wrong in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, WebSocket

from heavy_stack.backend.services import Services
from heavy_stack.shared_models.reports import Report
from heavy_stack.shared_models.tasks import Stage
from tests.support.browsers import Chromium, running_chromium
from tests.support.factories import answer_body, make_user, submit
from tests.support.page_servers import PageServer, page_server
from tests.support.proxies import HostRewritingProxy, host_rewriting_proxy
from tests.support.reports import NEW_SCHEMA, empty_report, full_report, unmeasured_report
from tests.support.settings import TEST_PASSWORD
from tests.support.web_server import USER

WIDE = 1280
NARROW = 390
ZONE = "Asia/Tokyo"
MAX_EVENT_FRAME_BYTES = 4096
# The browser itself says this when a socket goes away with its server; the pages tell the reader in their own words.
_EXPECTED = ("WebSocket connection to", "net::ERR_CONNECTION_REFUSED", "net::ERR_EMPTY_RESPONSE")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """The server that most tests share."""
    data_dir = tmp_path_factory.mktemp("browser") / "data"
    data_dir.mkdir()
    with page_server(data_dir) as server:
        yield server


@dataclass(frozen=True)
class Proxied:
    """A server behind a proxy that rewrites Host; it knows the address under which browsers see it."""

    proxy: HostRewritingProxy
    server: PageServer
    address: str


@pytest.fixture(scope="session")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """Both, running."""
    data_dir = tmp_path_factory.mktemp("proxied") / "data"
    data_dir.mkdir()
    with host_rewriting_proxy() as proxy:
        address = f"http://public.localhost:{proxy.port}"
        with page_server(data_dir, public_url=address) as server:
            proxy.target_port = server.port
            yield Proxied(proxy, server, address)


@pytest.fixture(autouse=True)
def _no_traceback_in_the_log(server: PageServer) -> Iterator[None]:
    """A logged error fails the test during which it was logged."""
    server.new_log()
    yield
    log = server.new_log()
    assert "Traceback" not in log, log
    assert '"level": "error"' not in log, log
    assert "browser.call_failed" not in log, log


@pytest.fixture(scope="session")
def chromium() -> Iterator[Chromium]:
    """Chromium, running."""
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    """Chromium, for one test."""
    with chromium.turn() as browser:
        yield browser


@dataclass
class Visit:
    """One page in one browser context, with everything that went wrong in it.

    Attributes:
        page: The page, signed in.
        complaints: Console errors, uncaught exceptions, and requests to another host.
        frames: Sizes of the websocket frames that the browser sent.
    """

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)
    frames: list[int] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page and wait until its socket has shown it."""
        self.page.goto(path)
        self.page.wait_for_selector("#app h1, #app .notice")
        return self.page


Visiting = Callable[..., Visit]


@pytest.fixture(scope="session")
def _contexts(chromium: Chromium) -> Iterator[dict[Any, BrowserContext]]:
    """Signed-in browser contexts by what they look like; shared, because each has a cache of its own."""
    contexts: dict[Any, BrowserContext] = {}
    yield contexts
    with chromium.turn():
        for context in contexts.values():
            context.close()


@pytest.fixture
def visiting(browser: Browser, server: PageServer, _contexts: dict[Any, BrowserContext]) -> Iterator[Visiting]:
    """Makes visits, signed in unless `fresh`; each must end without a complaint."""
    visits: list[Visit] = []

    def visit(width: int = WIDE, address: str | None = None, *, fresh: bool = False, dark: bool = False) -> Visit:
        base = address or server.address
        look = (width, base, dark)
        context = None if fresh else _contexts.get(look)
        if context is None:
            context = browser.new_context(
                base_url=base,
                viewport={"width": width, "height": 900},
                timezone_id=ZONE,
                color_scheme="dark" if dark else "light",
            )
            if not fresh:
                _contexts[look] = context
                with context.new_page() as page:
                    sign_in(page)
        made = Visit(context.new_page(), context)
        _watch(made, urlsplit(base).netloc)
        visits.append(made)
        return made

    yield visit
    for made in visits:
        made.page.close()
    assert [complaint for made in visits for complaint in made.complaints] == []
    assert max((size for made in visits for size in made.frames), default=0) < MAX_EVENT_FRAME_BYTES


def sign_in(page: Page) -> None:
    """Sign in with the form."""
    page.goto("/sign-in")
    page.fill("#user", USER)
    page.fill("#password", TEST_PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")


def _watch(visit: Visit, host: str) -> None:
    def see_socket(socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: visit.frames.append(len(frame)))

    page = visit.page
    page.on("pageerror", lambda error: visit.complaints.append(f"uncaught: {error}"))
    page.on("websocket", see_socket)
    page.on(
        "console",
        lambda message: (
            visit.complaints.append(f"console: {message.text}")
            if message.type == "error" and not message.text.startswith(_EXPECTED)
            else None
        ),
    )
    page.on(
        "request",
        lambda request: (
            visit.complaints.append(f"another host: {request.url}")
            if urlsplit(request.url).scheme in ("http", "https", "ws", "wss") and urlsplit(request.url).netloc != host
            else None
        ),
    )


@dataclass(frozen=True)
class StoredTasks:
    """Ids of tasks in every state, as paths below /tasks/."""

    full: str
    large: str
    unmeasured: str
    empty: str
    failed: str
    cancelled: str
    running: str
    waiting: str


@pytest.fixture(scope="session")
def tasks(server: PageServer) -> StoredTasks:
    """Tasks in every state, made through the real database layer."""
    return server.do(_store_tasks)


async def _store_tasks(services: Services) -> StoredTasks:
    user = await make_user(services, USER)

    async def finished(report: Report) -> str:
        task_id = await submit(services, user)
        work = await services.work.claim_task(task_id, f"worker-{task_id}", 60)
        assert work is not None
        body = answer_body(
            task_id,
            report,
            ddl=[{"statement": f"CREATE SCHEMA {NEW_SCHEMA}"}],
            migrations=[{"statement": f"INSERT INTO {NEW_SCHEMA}.orders_by_region_month SELECT 1"}],
        )
        await services.work.finish(work, body, '"etag"')
        return str(task_id)

    failed = await submit(services, user)
    work = await services.work.claim_task(failed, "worker-failed", 60)
    assert work is not None
    await services.work.fail(work, "sql_syntax", "Statement 3 of the DDL does not parse: line 2, column 14.")
    cancelled = await submit(services, user)
    async with services.unit_of_work():
        await services.tasks.cancel(user, cancelled)
    running = await submit(services, user)
    work = await services.work.claim_task(running, "worker-running", 3600)
    assert work is not None
    for stage in (Stage.INGEST, Stage.PARSE, Stage.PROFILE):
        await services.work.save_stage(work, stage, b"{}")
    await services.work.beat(work, 3600, progress=0.46, activity="Text 3 of 22")
    return StoredTasks(
        full=await finished(full_report()),
        large=await finished(full_report(20_000)),
        unmeasured=await finished(unmeasured_report()),
        empty=await finished(empty_report()),
        failed=str(failed),
        cancelled=str(cancelled),
        running=str(running),
        waiting=str(await submit(services, user)),
    )

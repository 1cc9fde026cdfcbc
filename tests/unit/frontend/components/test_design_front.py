"""The drawing of the front: well formed, inside its frame, with the chosen design marked."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from heavy_stack.frontend.components.design_front import HEIGHT, WIDTH, draw_front, front_section
from heavy_stack.shared_models.reports import FrontPointReport

SVG = "{http://www.w3.org/2000/svg}"


def point(size: int, x: float, *, chosen: bool = False) -> FrontPointReport:
    return FrontPointReport(tables=2, bytes=size, x=x, z_total=x, chosen=chosen)


FRONTS = {
    "close together": [point(800_000, 18), point(3_900_000, 30, chosen=True), point(9_000_000, 33)],
    "far apart": [point(2_000, 1.2), point(84_000, 12), point(9_000_000_000, 900, chosen=True)],
    "from nothing": [point(0, 1, chosen=True), point(20_000, 5), point(10_000_000, 33)],
    "all alike": [point(5, 2), point(5, 2, chosen=True)],
    "only nothing": [point(0, 0), point(0, 0)],
}


@pytest.mark.parametrize("points", FRONTS.values(), ids=list(FRONTS))
class TestDrawFront:
    def test_everything_stands_inside_the_frame(self, points: list[FrontPointReport]) -> None:
        drawn = ElementTree.fromstring(draw_front(points))
        dots = [(float(dot.attrib["cx"]), float(dot.attrib["cy"])) for dot in drawn.iter(f"{SVG}circle")]
        marks = [tuple(map(float, m.attrib["d"][1:].split("l")[0].split())) for m in drawn.iter(f"{SVG}path")]
        assert len(dots) + len(marks) == len(points)
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in dots + marks)
        texts = [(float(text.attrib["x"]), float(text.attrib["y"])) for text in drawn.iter(f"{SVG}text")]
        assert all(0 <= x <= WIDTH and 0 < y <= HEIGHT for x, y in texts)

    def test_is_named_and_described_for_those_who_do_not_see_it(self, points: list[FrontPointReport]) -> None:
        drawn = ElementTree.fromstring(draw_front(points))
        names = {node.attrib["id"] for node in drawn if node.tag in (f"{SVG}title", f"{SVG}desc")}
        assert drawn.attrib["role"] == "img"
        assert set(drawn.attrib["aria-labelledby"].split()) == names
        described = next(drawn.iter(f"{SVG}desc")).text or ""
        assert described.startswith(f"{len(points)} designs")
        assert ("Chosen: 2 tables" in described) == any(each.chosen for each in points)

    def test_axes_have_a_few_ticks(self, points: list[FrontPointReport]) -> None:
        drawn = ElementTree.fromstring(draw_front(points))
        ticks = [text.text for text in drawn.iter(f"{SVG}text") if text.attrib["class"] == "front-tick"]
        assert 2 <= len(ticks) <= 12
        assert len([tick for tick in ticks if tick and tick.endswith("×")]) <= 6


class TestFrontSection:
    @pytest.mark.parametrize("points", [[], [point(5, 2, chosen=True)]])
    def test_one_design_is_no_front(self, points: list[FrontPointReport]) -> None:
        assert front_section(points) is None

    def test_the_table_tells_the_same(self) -> None:
        shown = str(front_section(FRONTS["close together"]))
        assert all(word in shown for word in ("800 kB", "3.9 MB", "9.0 MB", "chosen", "33"))

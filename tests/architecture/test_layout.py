"""Where things live, and the words that must be the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from heavy_stack.backend.advisor import pipeline
from heavy_stack.backend.advisor.artefacts import ARTEFACT_TYPES
from heavy_stack.settings import Settings
from heavy_stack.shared_models.tasks import STAGE_LABELS, STAGES
from tests.architecture.repository import ROOT, python_modules, text_of, tracked_files

MAX_LINES = 400
TOP_LEVEL = {
    *("heavy_stack", "brython", "alembic", "dockerfiles", "static", "tests", "dev_scripts", ".devcontainer"),
    *("pyproject.toml", "README.md", "docs", "Makefile", "docker-compose.yaml", "alembic.ini", "rename_project.py"),
    *("template.env", "LICENSE", "CHANGELOG.md", ".vscode", ".ci", "requirements.lock", "requirements-dev.lock"),
    *(".gitignore", ".gitattributes", ".editorconfig", ".dockerignore", ".pre-commit-config.yaml"),
}
VAGUE = {"utils", "helpers", "common", "misc"}


class TestFiles:
    def test_top_level_holds_only_what_the_guide_names(self) -> None:
        assert {path.parts[0] for path in tracked_files()} <= TOP_LEVEL

    def test_no_module_is_longer_than_400_lines(self) -> None:
        modules = python_modules("heavy_stack", "brython", "dev_scripts", "tests", "alembic")
        long = {str(path): text_of(path).count("\n") for path in modules}
        assert {name: lines for name, lines in long.items() if lines > MAX_LINES} == {}

    def test_no_module_has_a_vague_name(self) -> None:
        names = {path for path in python_modules("heavy_stack", "brython") if set(path.with_suffix("").parts) & VAGUE}
        assert names == set()

    @pytest.mark.parametrize("folder", ["brython", "alembic"])
    def test_folders_that_would_hide_a_package_have_no_init(self, folder: str) -> None:
        assert not (ROOT / folder / "__init__.py").exists()

    def test_only_the_unit_of_work_commits(self) -> None:
        commits = [path for path in python_modules("heavy_stack") if re.search(r"\.commit\(", text_of(path))]
        assert [path.name for path in commits] == ["unit_of_work.py"]

    def test_production_code_never_imports_tests(self) -> None:
        imports = re.compile(r"^\s*(from|import) tests\b", re.M)
        assert [path for path in python_modules("heavy_stack", "brython") if imports.search(text_of(path))] == []


class TestStages:
    def test_folders_are_the_stages(self) -> None:
        advisor = ROOT / "heavy_stack" / "backend" / "advisor"
        assert all((advisor / stage.value / "__init__.py").is_file() for stage in STAGES)

    def test_every_stage_has_an_artefact_and_a_label(self) -> None:
        assert set(ARTEFACT_TYPES) == set(STAGES) == set(STAGE_LABELS)

    def test_readme_of_the_advisor_lists_them_in_order(self) -> None:
        text = (ROOT / "heavy_stack" / "backend" / "advisor" / "README.md").read_text()
        rows = re.findall(r"^\| `(\w+)` \|", text, re.M)
        assert rows == [stage.value for stage in STAGES]

    def test_pipeline_fits_on_a_screen(self) -> None:
        source = ROOT / "heavy_stack" / "backend" / "advisor" / "pipeline.py"
        assert source.read_text().count("\n") < 120
        assert pipeline.remaining({}) == STAGES


class TestSettings:
    @staticmethod
    def _names() -> Iterator[str]:
        return (f"HEAVY_{name.upper()}" for name in Settings.model_fields)

    @pytest.mark.parametrize("file", ["template.env", "docs/settings.md"])
    def test_every_setting_is_documented(self, file: str) -> None:
        text = (ROOT / file).read_text()
        assert [name for name in self._names() if not re.search(rf"\b{name}\b", text)] == []

    def test_no_unknown_setting_is_documented(self) -> None:
        documented = set(re.findall(r"^(HEAVY_\w+)=", (ROOT / "template.env").read_text(), re.M))
        assert documented == set(self._names())

    def test_every_setting_has_a_comment(self) -> None:
        lines = (ROOT / "heavy_stack" / "settings.py").read_text().splitlines()
        fields = {index: line for index, line in enumerate(lines) if re.match(r"    \w+: .*", line)}
        settings = [(i, line) for i, line in fields.items() if line.split(":")[0].strip() in Settings.model_fields]
        assert [line for index, line in settings if not lines[index - 1].strip().startswith("#")] == []

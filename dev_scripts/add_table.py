"""Writes what a new table needs: SQL model, shared model, model munger, repository and model manager.

    python dev_scripts/add_table.py Invoice number:str amount:float paid_at:datetime?

Without arguments it asks. Types: str, int, float, bool, datetime, date, uuid, json; `?` means that it may be empty. The
script is a start, not a rule: delete what you do not need. The migration: create_and_test_migrations.py.
"""

from __future__ import annotations

import argparse
import ast
import keyword
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from heavy_stack.backend.data.sql_models.base import default_table_name

ROOT = Path(__file__).resolve().parents[1]
# Type on the command line → Python's.
TYPES = {
    "str": "str",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "datetime": "datetime",
    "date": "date",
    "uuid": "UUID",
    "json": "dict[str, Any]",
}
OWN_COLUMNS = {"id", "created_at", "updated_at", "metadata", "registry"}


@dataclass(frozen=True)
class NewColumn:
    """A column as it was asked for."""

    name: str
    type: str
    optional: bool

    @property
    def annotation(self) -> str:
        """Its Python type."""
        return TYPES[self.type] + (" | None" if self.optional else "")


def main(arguments: list[str] | None = None) -> int:
    """Ask or read, then write. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Write what a new table needs.")
    parser.add_argument("name", nargs="?", help="singular, CamelCase: Invoice")
    parser.add_argument("columns", nargs="*", help="name:type or name:type?")
    given = parser.parse_args(arguments)
    columns = given.columns
    name = given.name or input("Name of one row, singular, CamelCase (Invoice): ").strip()
    if given.name is None:
        while text := input("Column as name:type or name:type? (empty line ends): ").strip():
            columns.append(text)
    try:
        files = render(name, [read_column(text) for text in columns])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    present = [path for path in files if (ROOT / path).exists()]
    if present:
        print(f"{present[0]} is there already; nothing was written", file=sys.stderr)
        return 1
    for path, text in files.items():
        (ROOT / path).write_text(text, encoding="utf-8")
        print(f"Wrote {path}")
    _list_model(ROOT / "heavy_stack/backend/data/sql_models/__init__.py", _module(name), f"SQL{name}")
    print("Next: dev_scripts/create_and_test_migrations.py; then name the manager in services.py and bootstrap.py.")
    return 0


def read_column(text: str) -> NewColumn:
    """`paid_at:datetime?` → NewColumn.

    Raises:
        ValueError: It is not written like that.
    """
    name, _, kind = text.partition(":")
    column = NewColumn(name, kind.rstrip("?") or "str", kind.endswith("?"))
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name) or name in OWN_COLUMNS:
        raise ValueError(f"{name!r} cannot be a column's name")
    if column.type not in TYPES:
        raise ValueError(f"{text!r}: the type is one of {', '.join(TYPES)}, with ? where it may be empty")
    return column


def render(name: str, columns: list[NewColumn]) -> dict[str, str]:
    """The new files: path → text.

    Raises:
        ValueError: The name is not CamelCase.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name) or name.startswith("SQL"):
        raise ValueError(f"{name!r}: write the name in CamelCase, singular, without SQL in front (Invoice)")
    plural, singular = _module(name), _snake(name)
    data = "heavy_stack/backend/data"
    # Required columns first, as Python wants them.
    columns = sorted(columns, key=lambda column: column.optional)
    return {
        f"{data}/sql_models/{plural}.py": _sql_model(name, columns),
        f"heavy_stack/shared_models/{plural}.py": _shared_model(name, columns),
        f"{data}/model_mungers/{singular}_model_mungers.py": _munger(name, columns),
        f"{data}/repositories/{singular}_repositories.py": _repository(name),
        f"{data}/model_managers/{singular}_managers.py": _manager(name),
    }


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _module(name: str) -> str:
    return default_table_name(f"SQL{name}")


def _words(name: str, *, many: bool = False) -> str:
    return (_module(name) if many else _snake(name)).replace("_", " ")


def _standard_imports(columns: list[NewColumn], *always: str) -> str:
    kinds = {column.type for column in columns}
    dates = [kind for kind in ("date", "datetime") if kind in kinds | set(always)]
    lines = [f"from datetime import {', '.join(dates)}"] if dates else []
    if "json" in kinds:
        lines.append("from typing import Any")
    if "uuid" in kinds | set(always):
        lines.append("from uuid import UUID")
    return "".join(line + "\n" for line in lines)


def _sql_model(name: str, columns: list[NewColumn]) -> str:
    json = any(column.type == "json" for column in columns)
    standard = _standard_imports(columns)
    lines = []
    for column in columns:
        if column.type == "json":
            default = "default=None" if column.optional else "default_factory=dict"
            lines.append(f"    {column.name}: {column.annotation} = Field({default}, sa_type=JsonValue)")
        else:
            lines.append(f"    {column.name}: {column.annotation}{' = None' if column.optional else ''}")
    body = "\n" + "\n".join(lines) + "\n" if lines else ""
    types = "from heavy_stack.backend.data.sql_models.column_types import JsonValue\n" if json else ""
    field = "from sqlmodel import Field\n\n" if json else ""
    return (
        f'"""{_words(name, many=True).capitalize()}."""\n\n{standard}{chr(10) if standard else ""}{field}'
        f"from heavy_stack.backend.data.sql_models.base import HeavyModel\n{types}\n\n"
        f'class SQL{name}(HeavyModel, table=True):\n    """One {_words(name)}."""\n{body}'
    )


def _shared_model(name: str, columns: list[NewColumn]) -> str:
    lines = [f"    {c.name}: {c.annotation}{' = None' if c.optional else ''}" for c in columns]
    return (
        f'"""{_words(name, many=True).capitalize()} as pages and the API see them."""\n\n'
        f"from __future__ import annotations\n\n{_standard_imports(columns, 'datetime', 'uuid')}\n"
        f"from pydantic import BaseModel, ConfigDict\n\n{name}Id = UUID\n\n\n"
        f'class {name}(BaseModel):\n    """One {_words(name)}."""\n\n    model_config = ConfigDict(frozen=True)\n\n'
        + "\n".join([f"    id: {name}Id", "    created_at: datetime", *lines])
        + "\n"
    )


def _munger(name: str, columns: list[NewColumn]) -> str:
    fields = ["id", "created_at", *(column.name for column in columns)]
    arguments = "\n".join(f"            {field}=row.{field}," for field in fields)
    return (
        f'"""{_words(name, many=True).capitalize()}: stored form to shared form."""\n\n'
        "from __future__ import annotations\n\n"
        "from heavy_stack.backend.data.model_mungers.base import ModelMunger\n"
        f"from heavy_stack.backend.data.sql_models.{_module(name)} import SQL{name}\n"
        f"from heavy_stack.shared_models.{_module(name)} import {name}\n\n\n"
        f"class {name}ModelMunger(ModelMunger[SQL{name}, {name}]):\n"
        f'    """SQL{name} → {name}."""\n\n'
        f"    def to_shared(self, row: SQL{name}) -> {name}:\n"
        f'        """The {_words(name)}."""\n'
        f"        return {name}(\n{arguments}\n        )\n"
    )


def _repository(name: str) -> str:
    return (
        f'"""Queries of the {_module(name)} table."""\n\n'
        "from __future__ import annotations\n\n"
        "from heavy_stack.backend.data.repositories.base import SQLRepositoryBase\n"
        f"from heavy_stack.backend.data.sql_models.{_module(name)} import SQL{name}\n\n\n"
        f"class {name}Repository(SQLRepositoryBase[SQL{name}]):\n"
        f'    """Queries of the {_module(name)} table."""\n\n'
        f"    model = SQL{name}\n"
    )


def _manager(name: str) -> str:
    singular, words = _snake(name), _words(name)
    return (
        f'"""Use cases around {_words(name, many=True)}."""\n\n'
        "from __future__ import annotations\n\n"
        "from heavy_stack.backend.data.model_managers.base import BaseManager\n"
        f"from heavy_stack.backend.data.model_mungers.{singular}_model_mungers import {name}ModelMunger\n"
        f"from heavy_stack.backend.data.repositories.{singular}_repositories import {name}Repository\n"
        f"from heavy_stack.shared_models.{_module(name)} import {name}, {name}Id\n\n\n"
        f"class {name}Manager(BaseManager[{name}Repository, {name}ModelMunger]):\n"
        f'    """Use cases around {_words(name, many=True)}."""\n\n'
        f"    async def get_{singular}(self, {singular}_id: {name}Id) -> {name}:\n"
        f'        """The {words}.\n\n        Raises:\n            NotFound: There is none with that id.\n        """\n'
        f"        return self.munger.to_shared(await self.repository.get({singular}_id))\n"
    )


def _list_model(path: Path, module: str, model: str) -> None:
    """Import the model in the package that migrations are compared with."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = "heavy_stack.backend.data.sql_models"
    imports = {node.module: [a.name for a in node.names] for node in tree.body if isinstance(node, ast.ImportFrom)}
    imports[f"{package}.{module}"] = [model]
    names = sorted(name for names in imports.values() for name in names)
    lines = [f"from {source} import {', '.join(imports[source])}" for source in sorted(imports, key=str)]
    listed = "".join(f'    "{name}",\n' for name in names)
    path.write_text(
        f'"""{ast.get_docstring(tree)}"""\n\n' + "\n".join(lines) + f"\n\n__all__ = [\n{listed}]\n", encoding="utf-8"
    )


if __name__ == "__main__":
    sys.exit(main())

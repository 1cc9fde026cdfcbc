"""HeavyModel, the base of every table."""

import re
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, get_args
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Column, DateTime, MetaData
from sqlmodel import Field, SQLModel
from sqlmodel.main import SQLModelMetaclass

from heavy_stack.backend.data.sql_models.column_types import ClosedSet, UtcDateTime, utc_now

# Names that Alembic can find again on every database; without them SQLite's batch mode cannot drop a constraint.
NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class HeavyModelMetaclass(SQLModelMetaclass):
    """Refuses a model that is no table, names tables, and stores closed sets and times portably."""

    def __new__(mcs, name: str, bases: tuple[type[Any], ...], class_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build the class; columns are adjusted before SQLAlchemy makes its table of them."""
        if class_dict.get("__module__") == __name__:
            return super().__new__(mcs, name, bases, class_dict, **kwargs)
        if not kwargs.get("table"):
            raise TypeError(
                f"{name} derives from HeavyModel but is not a table: write `class {name}(…, table=True)`. "
                "Columns that several tables share go into a mixin that derives from SQLModel."
            )
        class_dict.setdefault("__tablename__", default_table_name(name))
        model = super().__new__(mcs, name, bases, class_dict, **kwargs)
        checks = tuple(_store_portably(model))
        model.__table_args__ = _with_checks(getattr(model, "__table_args__", ()), checks)
        return model


class HeavyTable(SQLModel, metaclass=HeavyModelMetaclass):
    """The rules of every table without any column: for a table that brings its own key, such as a log."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING_CONVENTION)


class HeavyModel(HeavyTable):
    """Base of tables: a UUID key, `created_at` and `updated_at`, a default table name, CHECKs for StrEnum columns.

    Write `class SQLThing(HeavyModel, table=True)`; mixins (plain SQLModel classes) stand before HeavyModel. A field
    of the same name replaces a default column.
    """

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now, sa_column_kwargs={"onupdate": utc_now})


def default_table_name(class_name: str) -> str:
    """`SQLTask` → `tasks`, `SQLDataEntry` → `data_entries`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", class_name.removeprefix("SQL")).lower()
    if words.endswith("y") and words[-2:-1] not in tuple("aeiou"):
        return words[:-1] + "ies"
    return words + ("es" if words.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _store_portably(model: Any) -> Iterator[CheckConstraint]:
    for name, field in model.__pydantic_fields__.items():
        column = model.__dict__[name]
        if not isinstance(column, Column):
            continue
        members = _closed_set(field.annotation)
        if members is not None and not isinstance(column.type, ClosedSet):
            column.type = ClosedSet(members)
        elif isinstance(column.type, DateTime) or type(column.type).__name__ == "UTCDateTime":
            column.type = UtcDateTime()
        if isinstance(column.type, ClosedSet):
            words = ", ".join("'" + member.value.replace("'", "''") + "'" for member in column.type.members)
            # A NULL passes a CHECK, so a nullable column needs no word for it.
            yield CheckConstraint(f"{name} IN ({words})", name=name)


def _closed_set(annotation: Any) -> type[StrEnum] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, StrEnum):
            return candidate
    return None


def _with_checks(declared: Any, checks: tuple[CheckConstraint, ...]) -> tuple[Any, ...]:
    if isinstance(declared, dict):
        return (*checks, declared)
    return (*checks, *declared)

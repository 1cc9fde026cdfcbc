"""HeavyModel."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import pytest
from sqlalchemy import CheckConstraint, MetaData, UniqueConstraint, create_engine, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, select

from heavy_stack.backend.data.sql_models import HeavyModel, SQLArtefact, SQLEvent, SQLTask, SQLUser
from heavy_stack.backend.data.sql_models.base import NAMING_CONVENTION, default_table_name
from heavy_stack.backend.data.sql_models.column_types import JsonValue

# A metadata of its own: these tables must not show up in migrations.
_METADATA = MetaData(naming_convention=NAMING_CONVENTION)


class Colour(StrEnum):
    RED = "red"
    ODD = "it's odd"


class NamedMixin(SQLModel):
    name: str
    colour: Colour | None = None


class SQLPaintPot(NamedMixin, HeavyModel, table=True):
    metadata = _METADATA
    __table_args__ = (UniqueConstraint("name"),)

    shade: Colour = Colour.RED
    mixed_at: datetime | None = None
    recipe: dict[str, int] | None = Field(default=None, sa_type=JsonValue)


class TestHeavyModel:
    @pytest.fixture
    def session(self):
        engine = create_engine("sqlite://")
        _METADATA.create_all(engine)
        with Session(engine) as session:
            yield session
        engine.dispose()

    def test_gives_a_uuid_key_and_times(self, session: Session) -> None:
        pot = SQLPaintPot(name="a")
        session.add(pot)
        session.flush()
        assert isinstance(pot.id, UUID)
        assert timedelta() <= datetime.now(UTC) - pot.created_at < timedelta(minutes=1)
        assert abs(pot.updated_at - pot.created_at) < timedelta(seconds=1)

    def test_a_change_moves_updated_at_only(self, session: Session) -> None:
        long_ago = datetime(2020, 1, 1, tzinfo=UTC)
        pot = SQLPaintPot(name="a", created_at=long_ago, updated_at=long_ago)
        session.add(pot)
        session.flush()
        pot.name = "b"
        session.flush()
        assert pot.created_at == long_ago
        assert pot.updated_at > long_ago

    def test_mixins_bring_columns(self) -> None:
        assert {"name", "colour", "shade", "id", "created_at"} <= set(SQLPaintPot.__table__.columns.keys())

    def test_a_model_that_is_no_table_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"SQLForgotten derives from HeavyModel but is not a table.*table=True"):

            class SQLForgotten(HeavyModel):
                name: str

    class TestTableName:
        @pytest.mark.parametrize(
            ("model", "table"),
            [
                ("SQLTask", "tasks"),
                ("SQLDataEntry", "data_entries"),
                ("SQLBox", "boxes"),
                ("SQLKey", "keys"),
                ("SQLHTTPCall", "http_calls"),
                ("Plain", "plains"),
            ],
        )
        def test_follows_from_the_class(self, model: str, table: str) -> None:
            assert default_table_name(model) == table

        def test_may_be_given(self) -> None:
            class SQLMouse(HeavyModel, table=True):
                metadata = MetaData()
                __tablename__ = "mice"

            assert SQLMouse.__table__.name == "mice"

        def test_of_a_default(self) -> None:
            assert SQLPaintPot.__table__.name == "paint_pots"

    class TestClosedSet:
        def test_comes_back_as_its_member(self, session: Session) -> None:
            session.add(SQLPaintPot(name="a", shade=Colour.ODD))
            session.flush()
            session.expire_all()
            assert session.exec(text("SELECT shade FROM paint_pots")).one().shade == "it's odd"
            assert session.exec(select(SQLPaintPot)).one().shade is Colour.ODD

        @pytest.mark.parametrize("column", ["shade", "colour"])
        def test_another_word_breaks_a_check(self, session: Session, column: str) -> None:
            session.add(SQLPaintPot(name="a"))
            session.flush()
            with pytest.raises(IntegrityError, match="CHECK constraint failed"):
                session.exec(text(f"UPDATE paint_pots SET {column} = 'mauve'"))

        def test_another_word_is_refused_before_the_database_sees_it(self, session: Session) -> None:
            session.add(SQLPaintPot(name="a", shade="mauve"))
            with pytest.raises(Exception, match="'mauve' is not a valid Colour"):
                session.flush()

    class TestTimes:
        def test_come_back_in_utc(self, session: Session) -> None:
            east = timezone(timedelta(hours=5, minutes=30))
            session.add(SQLPaintPot(name="a", mixed_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=east)))
            session.flush()
            session.expire_all()
            mixed_at = session.exec(select(SQLPaintPot)).one().mixed_at
            assert mixed_at == datetime(2026, 1, 1, 21, 34, 5, 6, tzinfo=UTC)
            assert mixed_at.tzinfo is UTC

        def test_naive_ones_are_refused(self, session: Session) -> None:
            session.add(SQLPaintPot(name="a", mixed_at=datetime(2026, 1, 2)))
            with pytest.raises(Exception, match="needs a timezone"):
                session.flush()

    class TestJsonValue:
        def test_none_is_stored_as_null_and_not_as_the_word(self, session: Session) -> None:
            session.add(SQLPaintPot(name="a", recipe=None))
            session.add(SQLPaintPot(name="b", recipe={"red": 1}))
            session.flush()
            nulls = session.exec(text("SELECT name, recipe IS NULL AS empty FROM paint_pots ORDER BY name")).all()
            assert [tuple(row) for row in nulls] == [("a", 1), ("b", 0)]

    class TestNames:
        def test_every_constraint_has_one(self) -> None:
            for table in (*HeavyModel.metadata.sorted_tables, SQLPaintPot.__table__):
                assert [c for c in table.constraints if c.name is None] == []
                assert [i for i in table.indexes if i.name is None] == []

        def test_follow_the_convention(self) -> None:
            names = {c.name for c in SQLPaintPot.__table__.constraints}
            assert names == {"pk_paint_pots", "uq_paint_pots_name", "ck_paint_pots_shade", "ck_paint_pots_colour"}

        def test_declared_options_stay(self) -> None:
            assert SQLEvent.__table__.dialect_options["sqlite"]["autoincrement"] is True
            assert {i.name for i in SQLTask.__table__.indexes} == {"ix_tasks_running", "ix_tasks_owner_id_created_at"}


class TestTables:
    def test_every_closed_set_has_its_check(self) -> None:
        checks = {
            str(c.name)
            for model in (SQLUser, SQLTask, SQLArtefact, SQLEvent)
            for c in model.__table__.constraints
            if isinstance(c, CheckConstraint)
        }
        assert checks == {"ck_tasks_state", "ck_tasks_stage", "ck_artefacts_encoding"}

    def test_a_field_may_replace_a_default_column(self) -> None:
        class SQLNote(HeavyModel, table=True):
            metadata = MetaData()
            id: int | None = Field(default=None, primary_key=True)

        assert SQLNote.__table__.c.id.type.python_type is int

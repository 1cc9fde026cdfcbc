"""What work costs, in seconds of a nominal engine: one model for the candidates of every rule.

Estimates choose between designs and are never shown as measured times. The constants fit an embedded engine with two
threads on Parquet (medians of TPC-H, TPC-DS and a table of 61 columns); another engine scales most of them alike, and
choosing needs ratios only. What differs is the floor: a real Trino plans for 0.1 to 0.5 s, so the same design gains
less there on short queries; the choice between designs hardly moves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlglot import exp

from heavy_stack.backend.advisor.artefacts import Table, TableFacts
from heavy_stack.backend.advisor.sql.catalog import Catalog

MAX_STORAGE_SHARE = 0.37
FREE_BYTES = 1 << 20
"""What a design may take where the task names no limit: a share of the client's tables' bytes (40 %, and these may be
written less tightly than the design), or so little that nobody counts it."""
FLOOR_S = 0.004
"""A query's planning and start, however little it reads (0.1 to 0.5 s on a real Trino)."""
ROW_S = 0.5e-9
"""A row read, beside its values."""
VALUE_S = 1.2e-9
"""A number, date or boolean read and looked at."""
TEXT_VALUES = 2.5
"""A text costs as many values as this."""
BUILD_ROW_S = 25e-9
PROBE_ROW_S = 4e-9
GROUPED_ROW_S = 3e-9
WINDOW_ROW_S = 80e-9
"""A row sorted into its window."""
GROUP_S = 60e-9
"""A group made and merged."""

GUESSED_ROWS = 200_000.0
"""Without statistics a table has so many rows times the square of its columns: a fact is wide, a dimension is not; and
tables that somebody wants advice on are not small."""
GUESSED_VALUES = 100.0
"""Of a group key without statistics."""
EQUAL_SHARE = 0.1
RANGE_SHARE = 0.3
OTHER_SHARE = 0.5
"""Of the rows that a condition leaves, where statistics say nothing more."""

FASTER = 0.85
"""A rewrite is sent where T ≤ 0.85 A: near 1.0 a gain is within the noise of the measurement, and on a slower day the
query would be slower than it was. Whether the tables pay for their bytes is decided for all texts together."""
LEAST_GAIN_S = 0.001
"""Less than this no client notices, whatever the ratio."""


def is_faster(before_s: float, after_s: float) -> bool:
    """Whether measured seconds are so much less that the rewrite is worth sending."""
    return after_s <= min(FASTER * before_s, before_s - LEAST_GAIN_S)


def storage_allowed(max_bytes: int | None, storage: int) -> int:
    """The bytes that all new tables together may take: what the task says, else by the client's own bytes."""
    return max(int(storage * MAX_STORAGE_SHARE), FREE_BYTES) if max_bytes is None else max_bytes


def scan_s(rows: float, columns: float) -> float:
    """Reading `columns` values (see `value_units`) of each of `rows` rows."""
    return rows * (ROW_S + VALUE_S * columns)


def join_s(build_rows: float, probe_rows: float) -> float:
    """A hash join: one side stored, the other looked up."""
    return build_rows * BUILD_ROW_S + probe_rows * PROBE_ROW_S


def group_s(rows: float, groups: float) -> float:
    """Rows put into groups."""
    return rows * GROUPED_ROW_S + min(rows, groups) * GROUP_S


def value_units(kind: str) -> float:
    """How many plain values one value of a Trino type costs."""
    return TEXT_VALUES if kind.startswith(("varchar", "char", "varbinary", "json", "array", "map", "row")) else 1.0


def stored_s(rows: float, kinds: Iterable[str], *, regroups: bool = True) -> float:
    """Reading these columns of a design table, and grouping its rows again where they are finer than the query's."""
    read = scan_s(rows, sum(map(value_units, kinds)))
    return read + group_s(rows, rows / 4) if regroups else read


_STORED = ""
"""The stored table among a SELECT's sources; no alias is empty."""


class CostModel:
    """Costs of SELECTs over the client's tables.

    Args:
        facts: Statistics by full table name; may be empty.
        catalog: The DDL's tables.
    """

    def __init__(self, facts: Mapping[str, TableFacts], catalog: Catalog) -> None:
        self._facts = facts
        self._catalog = catalog

    def table_rows(self, table: Table) -> float:
        """The table's rows, guessed from its width where no statistics are known."""
        facts = self._facts.get(str(table.name))
        if facts is not None and facts.rows is not None:
            return float(facts.rows)
        return GUESSED_ROWS * len(table.columns) ** 2

    def column_units(self, table: Table, columns: Iterable[str]) -> float:
        """The cost of one row's values in these columns (any case), in plain values."""
        wanted = {name.lower() for name in columns}
        return sum(value_units(each.type) for each in table.columns if each.name.lower() in wanted)

    def distinct(self, table: Table, column: str) -> float | None:
        """How many values a column has; None where unknown."""
        facts = self._facts.get(str(table.name))
        if facts is None:
            return None
        found = next((each for name, each in facts.columns.items() if name.lower() == column.lower()), None)
        return None if found is None or found.distinct is None else float(max(1, found.distinct))

    def block_cost(
        self,
        select: exp.Select,
        groups: float | None = None,
        *,
        without: Collection[str] = (),
        stored_rows: float = 0.0,
    ) -> float:
        """The own work of one SELECT of an analysed tree: its base tables read, filtered, joined and grouped.

        Args:
            select: Columns qualified with their sources' aliases; sources that are queries cost nothing here, they
                have a SELECT of their own.
            groups: How many groups it makes, where that is known.
            without: Aliases that a stored table stands for: reading that table is not counted, joining it is.
            stored_rows: That table's rows.
        """
        tables = {alias: table for alias, table in self.base_tables(select).items() if alias not in without}
        if not tables:
            return 0.0
        columns: dict[str, set[str]] = {alias: set() for alias in tables}
        for column in select.find_all(exp.Column):
            if column.table in columns:
                columns[column.table].add(column.name)
        kept = self._rows_after_filters(select, tables)
        spent = sum(
            scan_s(self.table_rows(table), self.column_units(table, columns[alias])) for alias, table in tables.items()
        )
        if without:
            kept[_STORED] = stored_rows
        largest = max(kept, key=lambda alias: (kept[alias], alias))
        rows = kept[largest]
        for alias in sorted(kept, key=lambda each: (kept[each], each)):
            if alias != largest:
                spent += join_s(kept[alias], rows)
                # A partner that a filter has thinned out thins out the joined rows alike.
                table_rows = self.table_rows(tables[alias]) if alias in tables else kept[alias]
                rows *= min(1.0, max(1e-6, kept[alias] / max(1.0, table_rows)))
        if _numbers_rows(select):
            spent += rows * WINDOW_ROW_S
        if _groups(select):
            spent += group_s(rows, self._groups_of(select, tables, rows) if groups is None else groups)
        return spent

    def _groups_of(self, select: exp.Select, tables: Mapping[str, Table], rows: float) -> float:
        """The groups of a SELECT: combinations of its keys' values, as far as they are known."""
        found = 1.0
        group = select.args.get("group")
        for column in group.find_all(exp.Column) if group is not None else ():
            table = tables.get(column.table)
            values = self.distinct(table, column.name) if table is not None else None
            found *= GUESSED_VALUES if values is None else values
        return min(found, rows / 2)

    def query_cost(self, tree: exp.Query) -> float:
        """A whole analysed query: planning, and the own work of each SELECT."""
        return FLOOR_S + sum(self.block_cost(select) for select in tree.find_all(exp.Select))

    def base_tables(self, select: exp.Select) -> dict[str, Table]:
        """The client's tables that a SELECT reads itself, by alias."""
        sources = [select.args.get("from_"), *(select.args.get("joins") or [])]
        found: dict[str, Table] = {}
        for source in sources:
            node = source.this if isinstance(source, (exp.From, exp.Join)) else None
            if isinstance(node, exp.Table) and node.db:
                table = self._catalog.resolve_node(node)
                if table is not None:
                    found[node.alias_or_name] = table
        return found

    def _rows_after_filters(self, select: exp.Select, tables: Mapping[str, Table]) -> dict[str, float]:
        kept = {alias: self.table_rows(table) for alias, table in tables.items()}
        parts: list[exp.Expr] = []
        where = select.args.get("where")
        if where is not None:
            parts += where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
        for join in select.args.get("joins") or []:
            on = join.args.get("on")
            if on is not None and not join.args.get("side"):
                parts += on.flatten() if isinstance(on, exp.And) else [on]
        for part in parts:
            aliases = {column.table for column in part.find_all(exp.Column)}
            if len(aliases) == 1 and (alias := next(iter(aliases))) in kept and part.find(exp.Query) is None:
                kept[alias] *= self.share_left(part, tables[alias])
        return kept

    def share_left(self, condition: exp.Expr, table: Table) -> float:
        """Which share of a table's rows a condition on it leaves, roughly."""
        node = condition.unnest()
        if isinstance(node, (exp.EQ, exp.In)) and isinstance(node.this, exp.Column):
            values = self.distinct(table, node.this.name)
            wanted = max(1, len(node.expressions)) if isinstance(node, exp.In) else 1
            return min(1.0, wanted / values) if values is not None else min(1.0, EQUAL_SHARE * wanted)
        if isinstance(node, (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)):
            return RANGE_SHARE
        if isinstance(node, exp.Or):
            return min(1.0, sum(self.share_left(term, table) for term in node.flatten()))
        if isinstance(node, exp.And):
            share = 1.0
            for term in node.flatten():
                share *= self.share_left(term, table)
            return share
        return OTHER_SHARE


def _numbers_rows(select: exp.Select) -> bool:
    return any(item.find(exp.Window) is not None for item in select.expressions) and not _groups(select)


def _groups(select: exp.Select) -> bool:
    return bool(
        select.args.get("group")
        or select.args.get("distinct")
        or any(item.find(exp.AggFunc) is not None for item in select.expressions)
    )

"""Strings and patterns."""

from __future__ import annotations

from sqlglot import exp

from heavy_stack.backend.advisor.ports import NotCheckable
from heavy_stack.backend.engines.duckdb_patterns import Pattern, check_pattern
from heavy_stack.backend.engines.duckdb_writer import (
    Handler,
    Writer,
    integer_literal,
    kind_of,
    operands,
    string_literal,
    text_literal,
)

WHITE_SPACE = "".join(
    map(
        chr,
        [*range(0x09, 0x0E), *range(0x1C, 0x21), 0x1680, *range(0x2000, 0x2007), *range(0x2008, 0x200B), 0x2028, 0x2029]
        + [0x205F, 0x3000],
    )
)
"""What Trino's trim() removes: Java's white space. DuckDB's removes the space alone."""


_CARRIER = "CHR(57567)"


def varchar(writer: Writer, node: exp.Expr | None) -> str:
    """A varchar operand; char(n) pads, so it is refused."""
    kind = kind_of(node)
    if kind.base != "varchar":
        raise NotCheckable(f"{kind} as a varchar")
    return writer.write(node)


def _pipes(writer: Writer, node: exp.Expr) -> str:
    if not isinstance(node, exp.Binary):
        raise NotCheckable("||")
    return "(" + " || ".join(varchar(writer, item) for item in operands(node)) + ")"


def _concat(writer: Writer, node: exp.Expr) -> str:
    """Trino's concat is NULL when a part is; DuckDB's passes over NULLs, its || does not."""
    return "(" + " || ".join(varchar(writer, item) for item in node.expressions) + ")"


def _of_text(name: str) -> Handler:
    return lambda writer, node: f"{name}({varchar(writer, node.this)})"


def _upper(writer: Writer, node: exp.Expr) -> str:
    """Java has no capital for ß alone; DuckDB's is ẞ. A private letter carries it past."""
    return f"REPLACE(UPPER(REPLACE({varchar(writer, node.this)}, 'ß', {_CARRIER})), {_CARRIER}, 'ß')"


def _substring(writer: Writer, node: exp.Expr) -> str:
    value = varchar(writer, node.this)
    start_node, length_node = node.args.get("start"), node.args.get("length")
    start, length = integer_literal(start_node), integer_literal(length_node)
    if start_node is None or not kind_of(start_node).is_integer:
        raise NotCheckable("substring() without a whole start")
    if length_node is not None and not kind_of(length_node).is_integer:
        raise NotCheckable("substring() without a whole length")
    if start is None or (length_node is not None and length is None):
        return _computed_substring(writer, value, start_node, length_node)
    if start == 0 or (length is not None and length <= 0):
        return f"CASE WHEN {value} IS NULL THEN NULL ELSE '' END"
    tail = "" if length is None else f", {length}"
    if start > 0:
        return f"SUBSTRING({value}, {start}{tail})"
    # Before the first letter Trino's result is empty, DuckDB's begins at the first.
    return (
        f"CASE WHEN LENGTH({value}) < {-start} THEN '' ELSE SUBSTRING({value}, LENGTH({value}) + {start + 1}{tail}) END"
    )


def _computed_substring(writer: Writer, value: str, start_node: exp.Expr, length_node: exp.Expr | None) -> str:
    start = writer.write(start_node)
    length = None if length_node is None else writer.write(length_node)
    tail = "" if length is None else f", {length}"
    none = f"{start} = 0" if length is None else f"{start} = 0 OR {length} <= 0"
    unknown = f"{value} IS NULL OR {start} IS NULL" + ("" if length is None else f" OR {length} IS NULL")
    return (
        f"CASE WHEN {unknown} THEN NULL WHEN {none} OR {start} < -LENGTH({value}) THEN '' WHEN {start} > 0"
        f" THEN SUBSTRING({value}, {start}{tail}) ELSE SUBSTRING({value}, LENGTH({value}) + {start} + 1{tail}) END"
    )


def _trim(writer: Writer, node: exp.Expr) -> str:
    name = {"LEADING": "LTRIM", "TRAILING": "RTRIM"}.get(str(node.args.get("position") or "").upper(), "TRIM")
    what = node.args.get("expression")
    letters = WHITE_SPACE if what is None else string_literal(what)
    if letters is None:
        raise NotCheckable("trim() of computed letters")
    return f"{name}({varchar(writer, node.this)}, {text_literal(letters)})"


def _strpos(writer: Writer, node: exp.Expr) -> str:
    if node.args.get("position") is not None or node.args.get("occurrence") is not None:
        raise NotCheckable("strpos() of a later occurrence")
    return f"STRPOS({varchar(writer, node.this)}, {varchar(writer, node.args.get('substr'))})"


def _replace(writer: Writer, node: exp.Expr) -> str:
    if not string_literal(node.args.get("expression")):
        raise NotCheckable("replace() of a computed or empty string")
    replacement = node.args.get("replacement")
    by = "''" if replacement is None else varchar(writer, replacement)
    return f"REPLACE({varchar(writer, node.this)}, {varchar(writer, node.args.get('expression'))}, {by})"


def _split_part(writer: Writer, node: exp.Expr) -> str:
    """Past the last part Trino's result is NULL, DuckDB's is empty."""
    delimiter, index = string_literal(node.args.get("delimiter")), integer_literal(node.args.get("part_index"))
    if not delimiter or index is None or index < 1:
        raise NotCheckable("split_part() with a computed or empty delimiter, or a computed index")
    value, by = varchar(writer, node.this), text_literal(delimiter)
    return f"CASE WHEN LEN(STRING_SPLIT({value}, {by})) >= {index} THEN SPLIT_PART({value}, {by}, {index}) END"


def _pad(writer: Writer, node: exp.Expr) -> str:
    fill, size = string_literal(node.args.get("fill_pattern")), integer_literal(node.args.get("expression"))
    if not fill or size is None or size < 0:
        raise NotCheckable("lpad() or rpad() to a computed size or with a computed or empty filling")
    name = "LPAD" if node.args.get("is_left") else "RPAD"
    return f"{name}({varchar(writer, node.this)}, {size}, {text_literal(fill)})"


def _starts_with(writer: Writer, node: exp.Expr) -> str:
    return f"STARTS_WITH({varchar(writer, node.this)}, {varchar(writer, node.args.get('expression'))})"


def _like(writer: Writer, node: exp.Expr) -> str:
    return f"({varchar(writer, node.this)} LIKE {varchar(writer, node.args.get('expression'))})"


def _escape(writer: Writer, node: exp.Expr) -> str:
    like, by = node.this, string_literal(node.args.get("expression"))
    pattern = string_literal(like.args.get("expression")) if isinstance(like, exp.Like) else None
    if not isinstance(like, exp.Like) or by is None or len(by) != 1 or pattern is None:
        raise NotCheckable("LIKE with a computed pattern or escape letter")
    if not _escapes_are_valid(pattern, by):
        raise NotCheckable("LIKE with an escape letter before an ordinary one")
    return f"({varchar(writer, like.this)} LIKE {text_literal(pattern)} ESCAPE {text_literal(by)})"


def _escapes_are_valid(pattern: str, by: str) -> bool:
    at = 0
    while at < len(pattern):
        if pattern[at] == by:
            at += 1
            if pattern[at : at + 1] not in ("%", "_", by) or at >= len(pattern):
                return False
        at += 1
    return True


def _pattern(node: exp.Expr) -> Pattern:
    text = string_literal(node.args.get("expression"))
    if text is None:
        raise NotCheckable("a computed regular expression")
    for flag in ("flag", "parameters", "modifiers", "position", "occurrence"):
        if node.args.get(flag) is not None:
            raise NotCheckable("a regular expression with options")
    return check_pattern(text)


def _without_last_line_end(value: str, pattern: Pattern, result: str) -> str:
    """`$` before a last line end takes in other letters in the two engines: say so when the data has some."""
    if not pattern.has_end:
        return result
    failed = "ERROR('a regular expression over text that ends with a line end')"
    return f"CASE WHEN ENDS_WITH({value}, CHR(10)) THEN {failed} ELSE {result} END"


def _regexp_like(writer: Writer, node: exp.Expr) -> str:
    pattern = _pattern(node)
    return f"REGEXP_MATCHES({varchar(writer, node.this)}, {text_literal(pattern.as_condition)})"


def _regexp_extract(writer: Writer, node: exp.Expr) -> str:
    """Without a match Trino's result is NULL, DuckDB's is empty."""
    pattern = _pattern(node)
    group_node = node.args.get("group")
    group = 0 if group_node is None else integer_literal(group_node)
    if group is None or not 0 <= group <= pattern.groups or (group and pattern.optional_groups):
        raise NotCheckable("regexp_extract() of a group that may be missing")
    value, by = varchar(writer, node.this), text_literal(pattern.text)
    found = f"CASE WHEN REGEXP_MATCHES({value}, {by}) THEN REGEXP_EXTRACT({value}, {by}, {group}) END"
    return _without_last_line_end(value, pattern, found)


def _regexp_replace(writer: Writer, node: exp.Expr) -> str:
    pattern = _pattern(node)
    replacement = string_literal(node.args.get("replacement"))
    if replacement is None:
        raise NotCheckable("regexp_replace() by a computed string")
    if pattern.matches_empty or pattern.optional_groups or pattern.has_start:
        raise NotCheckable("regexp_replace() of a pattern that matches nothing, or of a group that may be missing")
    value = varchar(writer, node.this)
    by = text_literal(_replacement(replacement, pattern.groups))
    return _without_last_line_end(value, pattern, f"REGEXP_REPLACE({value}, {text_literal(pattern.text)}, {by}, 'g')")


def _replacement(text: str, groups: int) -> str:
    """Trino writes `$1`, RE2 `\\1`."""
    written: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            raise NotCheckable("regexp_replace() by a string with a backslash")
        if char == "$":
            digit = text[at + 1 : at + 2]
            if not digit.isdigit() or int(digit) > groups or text[at + 2 : at + 3].isdigit():
                raise NotCheckable("regexp_replace() by a string with a dollar sign")
            written.append(f"\\{digit}")
            at += 2
            continue
        written.append(char)
        at += 1
    return "".join(written)


TEXTS: dict[type[exp.Expr], Handler] = {
    exp.DPipe: _pipes,
    exp.Concat: _concat,
    exp.Lower: _of_text("LOWER"),
    exp.Upper: _upper,
    exp.Length: _of_text("LENGTH"),
    exp.Substring: _substring,
    exp.Trim: _trim,
    exp.StrPosition: _strpos,
    exp.Replace: _replace,
    exp.SplitPart: _split_part,
    exp.Pad: _pad,
    exp.StartsWith: _starts_with,
    exp.Like: _like,
    exp.Escape: _escape,
    exp.RegexpLike: _regexp_like,
    exp.RegexpExtract: _regexp_extract,
    exp.RegexpReplace: _regexp_replace,
}

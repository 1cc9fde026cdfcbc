"""parse: DDL becomes tables, each distinct query text a parsed text or a reason why it is kept aside. Never a guess."""

from __future__ import annotations

from heavy_stack.backend.advisor.artefacts import ParsedWorkload, Workload
from heavy_stack.backend.advisor.parse.ddl import read_tables
from heavy_stack.backend.advisor.parse.texts import TextReader, url_defaults
from heavy_stack.backend.advisor.ports import Progress

__all__ = ["parse"]


def parse(workload: Workload, progress: Progress) -> ParsedWorkload:
    """Parse a workload; every text of it is in the outcome, once.

    Raises:
        SqlSyntax: A CREATE TABLE does not parse, names no single catalog, or contradicts another one.
    """
    progress.report(0.0, "Reading the tables")
    tables = read_tables(workload.ddl)
    reader = TextReader(tables, *url_defaults(workload.url))
    texts = []
    for index, text in enumerate(workload.texts):
        if index % 20 == 0:
            progress.report(index / len(workload.texts), f"Parsing query text {index + 1} of {len(workload.texts)}")
        texts.append(reader.read(index, text))
    return ParsedWorkload(tables=tables, texts=tuple(texts), catalog=tables[0].name.catalog)

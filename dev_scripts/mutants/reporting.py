"""What the runs showed: per kind how many were made, caught, missed; and every survivor with its query."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from dev_scripts.mutants.designs import read_design
from dev_scripts.mutants.making import KINDS
from dev_scripts.mutants.running import results
from dev_scripts.mutants.trying import Tried

CAUGHT = ("static", "data set", "search")
LOST = ("missed", "survived", "not compared")
_WORDS = "tried | no other query | caught | equivalent | missed | survived | not compared | rate |"


def summary(folders: Sequence[Path]) -> str:
    """A Markdown table per kind over all workloads, a line per workload, and the survivors."""
    tried = {folder: results(folder) for folder in folders}
    lines = [f"| workload | texts sent | made | drawn | {_WORDS}"]
    lines.append("|---|---|---|---|---|---|---|---|---|---|---|---|")
    made_by_kind: Counter[str] = Counter()
    for folder, found in tried.items():
        drawn = json.loads((folder / "drawn.json").read_text())
        made, chosen = sum(drawn["made"].values()), sum(drawn["drawn"].values())
        made_by_kind.update(drawn["made"])
        lines.append(f"| {folder.name} | {len(drawn['sent'])} | {made} | {chosen} | {_figures(found)} |")
    everything = [each for found in tried.values() for each in found]
    lines.append(f"| all | | | | {_figures(everything)} |")
    how = Counter(each.how for each in everything)
    lines += ["", "How: " + ", ".join(f"{name} {count}" for name, count in sorted(how.items())), ""]
    lines += [
        f"| kind | {_WORDS}",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind in KINDS:
        lines.append(
            f"| {kind.name} | {_figures([each for each in everything if each.mutant.site.kind == kind.name])} |"
        )
    for word in (*LOST, "equivalent"):
        lines += ["", f"## {word.capitalize()}", ""]
        for folder, found in tried.items():
            design = read_design(folder)
            for each in sorted((each for each in found if each.how == word), key=lambda each: each.mutant):
                place = f"table {each.mutant.table}" if each.mutant.table else "text"
                name = f"{folder.name} {design.queryid(each.mutant.text)} ({place})"
                lines.append(f"- {name}: **{each.mutant.site.kind}** {each.detail}\n  `{each.sql}`")
    return "\n".join(lines) + "\n"


def rate(tried: Sequence[Tried]) -> float | None:
    """The share caught of those that are not equivalent."""
    how = Counter(each.how for each in tried)
    caught = sum(how[name] for name in CAUGHT)
    lost = sum(how[name] for name in LOST)
    return caught / (caught + lost) if caught + lost else None


def _figures(tried: Sequence[Tried]) -> str:
    how = Counter(each.how for each in tried)
    caught = sum(how[name] for name in CAUGHT)
    share = rate(tried)
    shown = "-" if share is None else f"{share:.2%}"
    counts = (len(tried), how["same"], caught, how["equivalent"], *(how[name] for name in LOST))
    return " | ".join((*map(str, counts), shown))

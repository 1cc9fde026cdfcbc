"""The guards of the rules, and how one is switched off in a process that has imported them.

A guard is an `if` whose whole body raises NotAnswerable or returns None: what keeps a rule from a rewrite that would be
wrong, or from one that is not worth it. It is switched off by giving its function the code of the same source with the
`if` never true.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import heavy_stack.backend.advisor.rules as rules

ROOT = Path(rules.__file__).resolve().parent
PACKAGE = rules.__name__
_REFUSAL = "NotAnswerable"
_SEEN = "_guard_holds"


@dataclass(frozen=True, order=True)
class Guard:
    """One guard.

    Attributes:
        module: Where it stands.
        line: The line of the `if`.
        function: The outermost function around it, with its class.
        text: Its condition, as it is written, and what it does.
    """

    module: str
    line: int
    function: str
    text: str

    @property
    def name(self) -> str:
        """Short, for the report."""
        return f"{self.module.removeprefix(PACKAGE + '.')}:{self.line} {self.function}"


def guards() -> list[Guard]:
    """All guards below rules/, in the order of the sources."""
    found: list[Guard] = []
    for path in sorted(ROOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        module = ".".join((PACKAGE, *parts)) if parts[-1] != "__init__" else ".".join((PACKAGE, *parts[:-1]))
        source = path.read_text()
        for function, node in _ifs(ast.parse(source)):
            if _is_guard(node):
                text = f"if {ast.unparse(node.test)}: {ast.unparse(node.body[0])}"
                found.append(Guard(module, node.lineno, function, text))
    return found


def switch_off(guard: Guard) -> None:
    """Make a guard never true in this process.

    Raises:
        LookupError: It is not where it was.
    """
    _change(guard.module, {guard.line: lambda test: ast.Constant(value=False)})


def watch(found: Sequence[Guard], seen: Callable[[str], None]) -> None:
    """Call `seen` with a guard's name whenever its condition holds, from now on in this process."""
    by_module: dict[str, list[Guard]] = {}
    for guard in found:
        by_module.setdefault(guard.module, []).append(guard)

    def noting(which: str, holds: object) -> object:
        if holds:
            seen(which)
        return holds

    for name, mine in by_module.items():
        setattr(importlib.import_module(name), _SEEN, noting)
        _change(name, {guard.line: _watching(guard.name) for guard in mine})


def _watching(name: str) -> Callable[[ast.expr], ast.expr]:
    return lambda test: ast.Call(
        func=ast.Name(id=_SEEN, ctx=ast.Load()), args=[ast.Constant(value=name), test], keywords=[]
    )


def _change(name: str, changes: Mapping[int, Callable[[ast.expr], ast.expr]]) -> None:
    """Give the functions of a module other conditions, by line."""
    module = importlib.import_module(name)
    path = inspect.getsourcefile(module) or ""
    tree = ast.parse(Path(path).read_text())
    functions = set()
    for function, node in _ifs(tree):
        if node.lineno in changes and _is_guard(node):
            node.test = ast.copy_location(changes[node.lineno](node.test), node.test)
            functions.add(function)
    if not functions:
        raise LookupError(f"{name}: {sorted(changes)}")
    ast.fix_missing_locations(tree)
    whole = compile(tree, path, "exec", flags=_future_flags(), dont_inherit=True)
    for function in functions:
        parts = function.split(".")
        _function(module, parts).__code__ = _code_of(whole, parts)


def _future_flags() -> int:
    import __future__

    return __future__.annotations.compiler_flag


def _ifs(tree: ast.Module) -> Iterator[tuple[str, ast.If]]:
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)):
                name = f"{node.name}.{member.name}" if isinstance(node, ast.ClassDef) else member.name
                for inner in ast.walk(member):
                    if isinstance(inner, ast.If):
                        yield name, inner


def _is_guard(node: ast.If) -> bool:
    if len(node.body) != 1:
        return False
    only = node.body[0]
    if isinstance(only, ast.Raise):
        call = only.exc
        return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == _REFUSAL
    return isinstance(only, ast.Return) and isinstance(only.value, ast.Constant) and only.value.value is None


def _code_of(code: types.CodeType, names: list[str]) -> types.CodeType:
    for name in names:
        code = next(part for part in code.co_consts if isinstance(part, types.CodeType) and part.co_name == name)
    return code


def _function(module: types.ModuleType, names: list[str]) -> types.FunctionType:
    found: object = module
    for name in names:
        found = inspect.getattr_static(found, name)
    for wrapper in ("__func__", "fget", "func", "__wrapped__"):
        found = getattr(found, wrapper, found)
    if not isinstance(found, types.FunctionType):
        raise LookupError(".".join(names))
    return found

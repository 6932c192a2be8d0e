"""fakesnow's rewriting passes, at a fraction of their cost.

fakesnow walks the whole tree for each of its 76 passes and calls the pass for each node, but most passes
look for a kind of node that few statements have (a SHOW, a CREATE, a FLATTEN). Which kinds these are stands
in the pass's own code: the classes of which it asks whether its node is an instance. So a pass is left out
for a tree that has none of them, and called for no other nodes. Both ways give the same statement
(tests/warehouse/test_passes.py), this one in a third of the time.
"""

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, Self

from fakesnow import transforms
from sqlglot import exp

Kind = type[exp.Expr]
Pass = Callable[..., exp.Expr]


class Passes:
    """Stands where fakesnow expects a tree, and takes each of its passes as the tree would."""

    def __init__(self, tree: exp.Expr) -> None:
        self.tree = tree
        self._kinds = set(map(type, tree.dfs()))
        """Of every node of the tree, and perhaps of some that are gone."""

    def transform(self, change: Pass, *args: Any, copy: bool = True, **options: Any) -> Self:
        """What `exp.Expr.transform` does, without what cannot change anything."""
        wanted = looks_for(change)
        if wanted is None:
            self.tree = self.tree.transform(change, *args, copy=copy, **options)
            self._kinds.update(map(type, self.tree.dfs()))
        elif any(wanted[kind] for kind in self._kinds):
            self._walk(wanted, functools.partial(change, *args, **options) if args or options else change)
        return self

    def _walk(self, wanted: "Wanted", change: Pass) -> None:
        kinds, root = self._kinds, self.tree
        changed = root

        def replaced(node: exp.Expr) -> bool:
            return node is not changed

        # In the order of sqlglot: what a pass puts in the place of a node is not walked through again.
        for node in root.dfs(prune=replaced):
            changed, kind = node, type(node)
            kinds.add(kind)
            if not wanted[kind]:
                continue
            parent, key, index = node.parent, node.arg_key, node.index
            changed = change(node)
            if changed is node:
                continue
            kinds.update(map(type, changed.dfs()))
            if node is root:
                self.tree = changed
            elif parent and key:
                parent.set(key, changed, index)


class Wanted(dict[Kind, bool]):
    """Whether a pass looks for a kind of node, as asked so far."""

    def __init__(self, classes: tuple[Kind, ...]) -> None:
        self.classes = classes

    def __missing__(self, kind: Kind) -> bool:
        self[kind] = issubclass(kind, self.classes)
        return self[kind]


def looks_for(change: Pass) -> Wanted | None:
    """The kinds of nodes that a pass may change; None when its code does not tell."""
    return _looked_for(_named(change))


def _named(change: Pass) -> Pass:
    """The pass itself; fakesnow wraps in a lambda those that it gives more than the node."""
    code: CodeType = change.__code__
    if code.co_name != "<lambda>":
        return change
    inner = [found for name in code.co_names if isinstance(found := vars(transforms).get(name), FunctionType)]
    return inner[0] if len(inner) == 1 else change


@functools.cache
def _looked_for(change: Pass) -> Wanted | None:
    """The classes of every `isinstance(node, ...)` in a pass, where node is its first parameter."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(change))).body[0]
    if not isinstance(definition, ast.FunctionDef):
        return None
    node = definition.args.args[0].arg
    found: set[Kind] = set()
    for call in ast.walk(definition):
        match call:
            case ast.Call(func=ast.Name("isinstance"), args=[ast.Name(name), classes]) if name == node:
                found.update(_classes(classes, change.__globals__))
    return Wanted(tuple(found)) if found else None


def _classes(written: ast.expr, known: dict[str, Any]) -> tuple[Kind, ...]:
    """The classes that an expression names: `exp.Cast`, a tuple of such, or the name of either."""
    match written:
        case ast.Tuple(parts):
            return tuple(kind for part in parts for kind in _classes(part, known))
        case ast.Attribute(ast.Name(module), name):
            return (getattr(known[module], name),)
        case ast.Name(name):
            classes = known[name]
            return classes if isinstance(classes, tuple) else (classes,)
    raise TypeError(f"fakesnow asks for the classes {ast.unparse(written)}")

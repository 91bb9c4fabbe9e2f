"""Paths into a document: JSON Pointer, or JMESPath whose cost is bounded before and while it runs.

An expression is part of a route, so it has to be harmless whoever wrote it. What could make a
result grow with each step (several multi-selects, text of whole documents) is refused when it is
saved; what is left visits each part of a document a bounded number of times, and the visits of one
message are counted. The count, not a clock, ends it: the same message has the same fate again.

Source: formats.md section 16, RFC 6901, the JMESPath specification (jmespath.org).
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, cast

import jmespath.exceptions
import jmespath.parser
import jmespath.visitor

__all__ = ["Budget", "Path", "PathError", "PathsTooDearError", "compile_path"]

LENGTH_MAX: Final = 500
NODES_MAX: Final = 100
SELECTED_MAX: Final = 16
# About 5 ms of the interpreter, which is what one message may take.
STEPS_MAX: Final = 10_000

# `to_number` is missing: Python reads `1_000`. `type: number` of a value is strict.
FUNCTIONS: Final = frozenset(
    {
        "abs", "avg", "ceil", "contains", "ends_with", "floor", "join", "keys", "length", "map",
        "max", "max_by", "min", "min_by", "not_null", "reverse", "sort", "sort_by", "starts_with",
        "sum", "type", "values",
    }
)  # fmt: skip
MULTI_SELECTS: Final = frozenset({"multi_select_list", "multi_select_dict"})
NODES: Final = MULTI_SELECTS | {
    "and_expression", "comparator", "current", "expref", "field", "filter_projection", "flatten",
    "function_expression", "identity", "index", "index_expression", "key_val_pair", "literal",
    "not_expression", "or_expression", "pipe", "projection", "slice", "subexpression",
    "value_projection",
}  # fmt: skip

Key = str | int


class PathError(ValueError):
    """A path that is none, or one that cannot be followed in a document."""


class PathsTooDearError(Exception):
    """The expressions of one message took too many steps."""


class Budget:
    """Steps that the expressions of one message may take.

    Attributes:
        interpreter: Of the expressions; takes the steps.
    """

    def __init__(self) -> None:
        """Begin with all of them."""
        self._left = STEPS_MAX
        self.interpreter = _Counting(self)

    def spend(self) -> None:
        """Take one step.

        Raises:
            PathsTooDearError: None was left.
        """
        self._left -= 1
        if self._left < 0:
            raise PathsTooDearError


class Path:
    """A path that was checked and compiled; it may be used again and again."""

    def __init__(
        self,
        keys: tuple[Key, ...] | None,
        tree: Mapping[str, Any] | None = None,
        *,
        pointer: bool = False,
    ) -> None:
        """Take keys to follow one by one, or the tree of an expression.

        Args:
            keys: None where there is a tree.
            tree: As JMESPath's parser made it.
            pointer: Digits among the keys are elements of arrays too (JSON Pointer).
        """
        self._keys = keys
        self._tree = tree
        self._pointer = pointer

    def read(self, document: object, budget: Budget) -> Any:  # noqa: ANN401 - any JSON
        """Return what the path leads to; None where it leads nowhere.

        Raises:
            PathError: The expression fails on this document.
            PathsTooDearError: The message's steps are used up.
        """
        if self._keys is not None:
            return _follow(document, self._keys, pointer=self._pointer)
        try:
            return budget.interpreter.visit(self._tree, document)
        except (jmespath.exceptions.JMESPathError, TypeError, RecursionError) as error:
            raise PathError(str(error).partition("\n")[0][:200]) from None


@lru_cache(maxsize=4096)
def compile_path(text: str) -> Path:
    """Return a path; one that begins with `/` is a JSON Pointer, any other JMESPath.

    Raises:
        PathError: If it is none, or not one that is allowed here.
    """
    if len(text) > LENGTH_MAX:
        raise PathError(f"a path of {len(text)} characters, at most {LENGTH_MAX} are read")
    if text.startswith("/"):
        return Path(tuple(map(_pointer_key, text[1:].split("/"))), pointer=True)
    try:
        tree = jmespath.parser.Parser().parse(text).parsed
    except (jmespath.exceptions.JMESPathError, RecursionError) as error:
        words = str(error).replace("\n", " ")[:200] or "nested too deeply"
        raise PathError(f"{text[:64]!r} is no JMESPath: {words}") from None
    _check(text, tree)
    keys = _plain_keys(tree)
    return Path(keys, None if keys else tree)


class _Counting(jmespath.visitor.TreeInterpreter):
    """The interpreter of JMESPath, each step of which is paid for."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as it inherits
        self._budget.spend()
        return super().visit(node, *args, **kwargs)


def _pointer_key(part: str) -> str:
    if "~" in part.replace("~1", "").replace("~0", ""):
        raise PathError(f"{part[:64]!r}: in a JSON Pointer `~` stands only in `~0` and `~1`")
    return part.replace("~1", "/").replace("~0", "~")


def _follow(document: object, keys: tuple[Key, ...], *, pointer: bool) -> object:
    found = document
    for key in keys:
        if isinstance(found, dict) and isinstance(key, str):
            found = cast("dict[str, Any]", found).get(key)
        elif isinstance(found, list) and (pointer or isinstance(key, int)):
            found = _element(cast("list[Any]", found), key)
        else:
            return None
    return found


def _element(found: list[Any], key: Key) -> object:
    if isinstance(key, str):
        if not (key.isascii() and key.isdigit() and len(key) <= len(str(LENGTH_MAX << 16))):
            return None
        key = int(key)
    return found[key] if -len(found) <= key < len(found) else None


def _check(text: str, tree: Mapping[str, Any]) -> None:
    nodes = list(_nodes(tree))
    if len(nodes) > NODES_MAX:
        raise PathError(f"{text[:64]!r} has {len(nodes)} parts, at most {NODES_MAX} are allowed")
    for node in nodes:
        if node["type"] not in NODES:
            raise PathError(f"{text[:64]!r}: {node['type']} is not allowed here")
        if node["type"] == "function_expression" and node["value"] not in FUNCTIONS:
            known = ", ".join(sorted(FUNCTIONS))
            raise PathError(f"{text[:64]!r}: {node['value']}() is none of {known}")
    selects = [node for node in nodes if node["type"] in MULTI_SELECTS]
    if len(selects) > 1 or any(len(node["children"]) > SELECTED_MAX for node in selects):
        words = f"at most one selection of several, of at most {SELECTED_MAX}"
        raise PathError(f"{text[:64]!r}: {words}")


def _nodes(tree: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield tree
    for child in tree["children"]:
        if isinstance(child, dict):
            yield from _nodes(cast("dict[str, Any]", child))


def _plain_keys(tree: Mapping[str, Any]) -> tuple[Key, ...] | None:
    """Return the keys of `a.b[0]`, which need no interpreter; None for all other expressions."""
    if tree["type"] in {"field", "index"}:
        return (tree["value"],)
    if tree["type"] not in {"subexpression", "index_expression"}:
        return None
    parts = [_plain_keys(child) for child in tree["children"]]
    known = [part for part in parts if part is not None]
    return tuple(key for part in known for key in part) if len(known) == len(parts) else None

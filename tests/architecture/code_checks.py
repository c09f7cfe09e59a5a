"""Checks of Python sources: each takes modules and tells what breaks a rule, as sentences.

Owns what a breach is. Which folders are held to it is said in the tests beside.
"""

import ast
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator

from tests.support.sources import Function, Module

VAGUE_NAMES = frozenset(
    {"arg", "arr", "cfg", "d", "data", "df", "elem", "foo", "im", "info", "inp", "item", "items", "m", "misc", "obj", "objs", "params"}
    | {"payload_data", "res", "ret", "retval", "rm", "stuff", "temp", "thing", "tmp", "val", "vals", "x", "y", "z"}
)
"""Names that say nothing of what a parameter stands for."""

VAGUE_MODULES = frozenset({"base", "common", "helper", "helpers", "misc", "shared", "tools", "util", "utils"})
"""Module names that own nothing in particular."""

MODULE_LINES = 450
FUNCTION_LINES = 80
FOLDER_FILES = 20

CORE_LIBRARIES = frozenset({"llvmlite", "msgspec", "numba", "numpy", "venturi"})
"""What the core may import beside the parts of the standard library that neither do I/O nor keep state."""

CORE_STANDARD_LIBRARY = frozenset(
    {
        "__future__",
        "abc",
        "array",
        "bisect",
        "calendar",
        "collections",
        "contextlib",
        "dataclasses",
        "datetime",
        "enum",
        "fractions",
        "functools",
        "hashlib",
    }
    | {
        "heapq",
        "ipaddress",
        "itertools",
        "json",
        "math",
        "numbers",
        "operator",
        "re",
        "string",
        "struct",
        "types",
        "typing",
        "unicodedata",
        "uuid",
        "zoneinfo",
    }
)

IMPURE_CALLS = frozenset({"open", "input", "print", "now", "utcnow", "today", "uuid1", "uuid4", "breakpoint", "exec", "eval"})
"""Calls that ask the world, wherever they come from."""


def find_vague_parameters(modules: Iterable[Module]) -> Iterator[str]:
    """Tell parameters whose name says nothing; pytest gives its hooks their names itself."""
    for module in modules:
        for function in module.functions():
            if function.name.startswith("pytest_"):
                continue
            for parameter in _parameters(function):
                if parameter.arg.lstrip("_") in VAGUE_NAMES:
                    yield f"{module.place}:{parameter.lineno}: parameter {parameter.arg} of {function.name} says nothing"


def find_vague_modules(modules: Iterable[Module]) -> Iterator[str]:
    """Tell modules whose name says nothing of what they own."""
    for module in modules:
        stem = module.place.rsplit("/", 1)[-1].removesuffix(".py")
        if stem in VAGUE_MODULES:
            yield f"{module.place}: a module named {stem} owns nothing in particular"


def find_long_code(modules: Iterable[Module]) -> Iterator[str]:
    """Tell modules and functions that are longer than one idea; docstrings are not counted."""
    for module in modules:
        length = module.text.count("\n")
        if length > MODULE_LINES:
            yield f"{module.place}: {length} lines, over {MODULE_LINES}"
        for function in module.functions():
            length = _code_lines(function)
            if length > FUNCTION_LINES:
                yield f"{module.place}:{function.lineno}: {function.name} has {length} lines, over {FUNCTION_LINES}"


def find_full_folders(places: Iterable[str]) -> Iterator[str]:
    """Tell folders with more modules than a reader keeps in mind; ``__init__.py`` is not counted."""
    files: defaultdict[str, int] = defaultdict(int)
    for place in places:
        folder, _, name = place.rpartition("/")
        files[folder] += name != "__init__.py"
    for folder, count in files.items():
        if count > FOLDER_FILES:
            yield f"{folder}: {count} files, over {FOLDER_FILES}"


def find_missing_docstrings(modules: Iterable[Module]) -> Iterator[str]:
    """Tell modules that do not say what they own; an empty ``__init__.py`` owns nothing."""
    for module in modules:
        if module.text.strip() and not ast.get_docstring(module.tree):
            yield f"{module.place}: does not open with what it owns"


def find_repeated_docstrings(modules: Iterable[Module]) -> Iterator[str]:
    """Tell docstrings that stand at two places: one of them describes the other thing."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, Function | ast.ClassDef | ast.Module):
                docstring = ast.get_docstring(node)
                if docstring:
                    places[" ".join(docstring.split())].append(f"{module.place}:{getattr(node, 'lineno', 1)}")
    for docstring, found in places.items():
        if len(found) > 1:
            yield f"{', '.join(found)}: the same docstring: {docstring[:80]}"


def find_foreign_imports(modules: Iterable[Module]) -> Iterator[str]:
    """Tell imports of the core that are not known to be free of I/O, clock and state."""
    allowed = CORE_LIBRARIES | CORE_STANDARD_LIBRARY
    for module in modules:
        for line, name in _imports(module.tree):
            top = name.split(".", 1)[0]
            if top not in allowed:
                origin = "standard library" if top in sys.stdlib_module_names else "library"
                yield f"{module.place}:{line}: the core does not import the {origin} module {name}"


def find_impure_calls(modules: Iterable[Module]) -> Iterator[str]:
    """Tell calls of the core that read a clock, a file, chance or a terminal."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and _called_name(node) in IMPURE_CALLS:
                yield f"{module.place}:{node.lineno}: the core does not call {_called_name(node)}"


def find_environment_reads(modules: Iterable[Module]) -> Iterator[str]:
    """Tell places that read the environment: only ``venturi.config`` does. Setting a variable for a library is no reading."""
    for module in modules:
        if "src/venturi/config/" in module.place:
            continue
        nodes = list(ast.walk(module.tree))
        written = {id(node.value) for node in nodes if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)}
        for node in nodes:
            if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"} and id(node) not in written:
                yield f"{module.place}:{node.lineno}: only venturi.config reads the environment"


def find_avoided_terms(modules: Iterable[Module], avoided: Iterable[str]) -> Iterator[str]:
    """Tell names of functions, classes, parameters and fields that use a word the glossary replaces."""
    words = frozenset(avoided)
    for module in modules:
        for line, name in _defined_names(module.tree):
            wrong = words & set(name.lower().strip("_").split("_"))
            if wrong:
                yield f"{module.place}:{line}: {name} uses {min(wrong)}, which GLOSSARY.md replaces"


def find_loose_patterns(modules: Iterable[Module]) -> Iterator[str]:
    r"""Tell texts that end in ``$``: as a pattern it lets a line end pass, which ``\Z`` and ``fullmatch`` do not."""
    for module in modules:
        nodes = list(ast.walk(module.tree))
        joined = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            if not isinstance(node, ast.Constant):
                continue
            text = node.value if isinstance(node.value, str) else ""
            if text.endswith("$") and (text != "$" or id(node) in joined):
                yield f"{module.place}:{node.lineno}: a pattern that ends in $ lets a line end pass; end it in \\Z"


def find_live_schema(modules: Iterable[Module]) -> Iterator[str]:
    """Tell imports of migrations that are not frozen with them: what they name could change what was released."""
    for module in modules:
        for line, name in _imports(module.tree):
            if name.split(".", 1)[0] == "venturi" and not name.startswith("venturi.adapters.store.migrations."):
                yield f"{module.place}:{line}: a migration does not import {name}, which may change"


def list_settings(module: Module) -> list[str]:
    """Give the environment variables of venturi that a module names."""
    constants = (node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant))
    return sorted({text for text in constants if isinstance(text, str) and text.isidentifier() and text.startswith("VENTURI_")})


def _parameters(function: Function) -> list[ast.arg]:
    named = function.args
    starred = [parameter for parameter in (named.vararg, named.kwarg) if parameter]
    return [*named.posonlyargs, *named.args, *named.kwonlyargs, *starred]


def _code_lines(function: Function) -> int:
    first = function.body[0]
    documented = (first.end_lineno or 0) - first.lineno + 1 if ast.get_docstring(function) else 0
    return (function.end_lineno or 0) - function.lineno + 1 - documented


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def _called_name(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _defined_names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield node.lineno, node.name
            yield from ((parameter.lineno, parameter.arg) for parameter in _parameters(node))
        elif isinstance(node, ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.target.id

"""The repository as text and syntax trees, for tests that read it.

Owns finding and parsing files. What is wrong with them is decided in ``tests/architecture``.
"""

import ast
import functools
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "venturi"
DOCS = ROOT / "docs"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file: ``place`` is its path from the top of the repository."""

    place: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text, self.place)

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


@functools.cache
def list_files() -> tuple[Path, ...]:
    """Every file that is committed, or would be by adding all."""
    command = ("git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    paths = (ROOT / name for name in listing.split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


@functools.cache
def list_modules(folder: str) -> tuple[Module, ...]:
    """Every Python file below ``folder`` (from the top of the repository)."""
    paths = (path for path in list_files() if path.suffix == ".py" and path.is_relative_to(ROOT / folder))
    return tuple(Module(str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")) for path in paths)


def read_documents() -> dict[str, str]:
    """Every Markdown page of the repository by its path from the top."""
    pages = (path for path in list_files() if path.suffix == ".md")
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in pages}

"""Checks of text files: the repository's pages and every other file that a person reads.

Owns what may stand in no file. Python syntax is ``code_checks``'s.
"""

import re
from collections.abc import Iterator, Mapping

_PLACES = {
    "a registry's host": r"\b(?:pypi|pythonhosted|npmjs|anaconda)[.](?:org|com)\b"
    r"|\b(?:deb|security|archive)[.](?:debian|ubuntu)[.](?:org|com)\b|proxy[.]golang[.]org|crates[.]io\b"
    r"|--(?:extra-)?index[-]url[ =]|\"resolved\"\s*:",
    "a path of one machine": r"(?<![\w.])/(?:work|root|home/\w+|opt/(?:pypi|wheels)|tmp/(?:brief|bash_jobs)|Users/\w+)/",
}
_SPEECH = {
    "how the text came about": r"\bissues?\s+#?\d|\bthe (?:brief|lead developer|reviewer)\b|\bin this (?:commit|pull request|session)\b"
    r"|\b(?:[c]laude|[a]nthropic|[o]penai|[c]hatgpt|[l]lms?)\b|\bas (?:requested|instructed|discussed)\b",
    "work left undone": r"\b(?:TO[D]O|FIX[M]E|X[X]X|HAC[K])\b|\bfor n[o]w\b|\bnot yet [i]mplemented\b|\bplacehold[e]r\b(?!=)",
}
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)\s]*)?\)")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SESSION = re.compile(r"^## ([^\n]+)$|^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"root@([\w-]+)# ")
_TERM = re.compile(r"^\*\*(.+?)\*\*", re.MULTILINE)
_AVOIDED = re.compile(r"^ *Not: (.+?)\.$", re.MULTILINE)


def find_foreign_places(place: str, text: str) -> Iterator[str]:
    """Tell hosts of package registries and paths that exist on one machine only."""
    return _find(_PLACES, place, text)


def find_loose_speech(place: str, text: str) -> Iterator[str]:
    """Tell text that speaks of its own making, or leaves work undone."""
    return _find(_SPEECH, place, text)


def list_blocks(page: str, language: str) -> list[str]:
    """Give the code blocks of a page that are marked as ``language``."""
    return [text for marked, text in _BLOCK.findall(page) if marked == language]


def read_commands(page: str) -> list[tuple[str, str]]:
    """Give the commands (after ``$``) of a page's console blocks, each with the output shown below it."""
    found: list[tuple[str, str]] = []
    for block in list_blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line.removeprefix("$ "), ""))
            elif found:
                command, shown = found[-1]
                found[-1] = (command, f"{shown}{line}\n")
    return found


def read_session(page: str) -> list[tuple[str, str, str]]:
    """Give what a page has typed on hosts: the heading above, the host that the prompt names, and the command with its further lines."""
    found: list[tuple[str, str, str]] = []
    heading = ""
    for title, block in _SESSION.findall(page):
        heading = title or heading
        for line in block.splitlines():
            prompt = _PROMPT.match(line)
            if prompt:
                found.append((heading, prompt[1], line[prompt.end() :]))
            elif found:
                found[-1] = (*found[-1][:2], f"{found[-1][2]}\n{line}")
    return found


def list_links(page: str) -> list[str]:
    """Give the links of a page that lead to files of the repository."""
    return _LINK.findall(page)


def list_terms(glossary: str) -> list[str]:
    """Give the terms that a glossary defines, in its order."""
    return _TERM.findall(glossary)


def list_avoided(glossary: str) -> list[str]:
    """Give the single words that a glossary says not to use."""
    return [word for listing in _AVOIDED.findall(glossary) for word in re.findall(r"`(\w+)`", listing)]


def read_table(page: str, heading: str) -> dict[str, list[str]]:
    """Give the rows of the first table below ``heading``, by the code word in their first cell."""
    section = re.split(rf"^#+ {re.escape(heading)}$", page, maxsplit=1, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    return {row[0].strip("`"): row[1:] for row in rows}


def _find(patterns: Mapping[str, str], place: str, text: str) -> Iterator[str]:
    for meaning, pattern in patterns.items():
        for match in re.finditer(pattern, text):
            line = text.count("\n", 0, match.start()) + 1
            yield f"{place}:{line}: {meaning}: {match.group(0)!r}"

"""What is to be applied, as values that a command can make without loading a client."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ApplyRequest:
    """The rules files at ``paths``, and how far to go.

    ``prune`` deletes labels that the files do not name, in the projects that they name or, with ``all_projects``, in all that the
    caller may see. ``project_id`` is the project of labels that name none; None stands for the caller's own. ``assume_yes``
    deletes without asking. ``listed`` is how many lines of the difference are shown, None for all of them.
    """

    paths: tuple[str, ...]
    dry_run: bool = False
    prune: bool = False
    all_projects: bool = False
    project_id: str | None = None
    assume_yes: bool = False
    listed: int | None = None

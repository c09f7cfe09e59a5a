"""Applies rules files to a server: compares, then makes equal.

Owns whether all changes are made as one, and otherwise their order and the size of requests: nothing is deleted before everything else
is done.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from venturi.adapters.client.collections import LABELS, POINTS, RULES
from venturi.adapters.client.resources import Resource, Resources
from venturi.core.domain.control.revision import ChangeKind
from venturi.core.domain.errors import ForbiddenError, InvalidRequestError, NotFoundError, RequestTooLargeError, ServerError
from venturi.core.rules.document import RulesDocument
from venturi.services.applying.difference import AccountedLabel, Difference, LabelDifference, find_difference, refuse_doubles
from venturi.services.applying.reading import present_accounts, present_labels, wanted_labels
from venturi.services.applying.request import ApplyRequest
from venturi.services.applying.wire import apply_body, label_body, rule_body

CALLER_PATH = "/v1/caller"
"""Where a server says who it takes the caller for."""

APPLY_PATH = "/v1/apply"
"""Where a server makes many changes as one."""

OLDER_SERVER = "the server is older than this command"
TOO_MANY = "the server does not take so many changes in one request"
"""Why changes are not made as one."""

_IN_PIECES = "the changes are made one after the other, and what moves from one label to another may count for both for a moment"

_UNCHECKED = "whether the changes are allowed is not checked"

BULK = 1000
"""The most labels or rules that are created in one request."""


@dataclass
class Done:
    """What was done so far; ``finished`` once all was."""

    labels_created: int = 0
    labels_changed: int = 0
    labels_deleted: int = 0
    rules_created: int = 0
    rules_deleted: int = 0
    finished: bool = False


class Applying:
    """One run of ``venturi apply``."""

    def __init__(self, resources: Resources, request: ApplyRequest) -> None:
        """Ask and change the server behind ``resources``; ``wanted`` are the labels of the files, once they are compared."""
        self._resources = resources
        self._request = request
        self.done = Done()
        self.wanted: Sequence[AccountedLabel] = ()

    def compare(self, document: RulesDocument) -> Difference:
        """Find what tells the server from ``document``; raises ``ConflictError`` for what cannot be made equal."""
        wanted = wanted_labels(document, self._default_project(document))
        refuse_doubles(wanted)
        self.wanted = wanted
        labels = present_labels(self._resources, self._projects(wanted))
        named = {account.key for account in wanted}
        concerned = [label for label in labels if self._request.prune or (label.project_id, label.name) in named]
        return find_difference(wanted, present_accounts(self._resources, concerned), prune=self._request.prune)

    def present_points(self) -> list[Resource] | None:
        """List the observation points that the caller may see; None where it may see none, or the server is no venturi."""
        try:
            return self._resources.find_all(POINTS)
        except (ForbiddenError, NotFoundError):
            return None

    def check(self, difference: Difference, tell: Callable[[str], object]) -> None:
        """Have the server check all changes, rights included, without making them; ``tell`` hears what could not be checked.

        Raises what ``carry_out`` would.
        """
        if not self._resources.offers(APPLY_PATH):
            tell(f"{OLDER_SERVER}: {_UNCHECKED}")
            return
        try:
            self._resources.ask("POST", APPLY_PATH, {**apply_body(difference), "dry_run": True})
        except RequestTooLargeError:
            tell(f"{TOO_MANY}: {_UNCHECKED}")
        except InvalidRequestError as error:
            if "`dry_run`" not in str(error):
                raise
            tell(f"{OLDER_SERVER}: {_UNCHECKED}")

    def carry_out(self, difference: Difference, tell: Callable[[str], object]) -> None:
        """Make the server equal, in one revision; where the server cannot, in pieces, which ``tell`` is told.

        What was done until an error is in ``done``.
        """
        if not self._resources.offers(APPLY_PATH):
            tell(f"{OLDER_SERVER}: {_IN_PIECES}")
            self._carry_out_in_pieces(difference)
            return
        try:
            self._resources.ask("POST", APPLY_PATH, apply_body(difference))
        except RequestTooLargeError:
            tell(f"{TOO_MANY}: {_IN_PIECES}")
            self._carry_out_in_pieces(difference)
            return
        self.done = Done(
            labels_created=len(difference.of_kind(ChangeKind.CREATED)),
            labels_changed=len(difference.of_kind(ChangeKind.CHANGED)),
            labels_deleted=len(difference.of_kind(ChangeKind.DELETED)),
            rules_created=sum(len(each.created_rules) for each in difference.labels),
            rules_deleted=sum(len(each.deleted_rules) for each in difference.labels),
            finished=True,
        )

    def _carry_out_in_pieces(self, difference: Difference) -> None:
        changed = difference.of_kind(ChangeKind.CHANGED)
        filled = self._create_labels(difference.of_kind(ChangeKind.CREATED))
        filled += [(each.label.id, each) for each in changed if _adds_few(each)]
        self._add_rules([(label_id, each) for label_id, each in filled if each.created_rules])
        for each in changed:
            self._change_label(each)
        for each in difference.of_kind(ChangeKind.DELETED):
            self._resources.delete(LABELS, each.label.id)
            self.done.labels_deleted += 1
            self.done.rules_deleted += len(each.deleted_rules)
        self.done.finished = True

    def _default_project(self, document: RulesDocument) -> str:
        """Give the project of labels that name none; the server is asked only where there are such labels."""
        if self._request.project_id is not None:
            return self._request.project_id
        if all(entry.label.project_id for entry in document.labels):
            return ""
        project_id = self._resources.ask("GET", CALLER_PATH).get("project_id")
        if not isinstance(project_id, str):
            message = "the server does not tell the caller's project: name it by --project"
            raise ServerError(message)
        return project_id

    def _projects(self, wanted: Sequence[AccountedLabel]) -> frozenset[str] | None:
        """Name the projects that are compared, None for all."""
        if self._request.prune and self._request.all_projects:
            return None
        named = {account.label.project_id for account in wanted}
        return frozenset(named | ({self._request.project_id} if self._request.project_id else set()))

    def _create_labels(self, differences: Sequence[LabelDifference]) -> list[tuple[str, LabelDifference]]:
        """Create labels, many in a request; give the new id of each."""
        created: list[tuple[str, LabelDifference]] = []
        for start in range(0, len(differences), BULK):
            chunk = differences[start : start + BULK]
            made = self._resources.create_many(LABELS, [label_body(each.label) for each in chunk])
            created += [(str(resource["id"]), each) for resource, each in zip(made, chunk, strict=True)]
            self.done.labels_created += len(chunk)
        return created

    def _add_rules(self, filled: Sequence[tuple[str, LabelDifference]]) -> None:
        """Create rules, those of many labels in a request, but never those of one label in two."""
        for chunk in _chunks(filled):
            if len(chunk) == 1:
                self._replace_rules(*chunk[0])
                continue
            bodies = [{"metering_label_id": label_id, **rule_body(fields)} for label_id, each in chunk for fields in each.created_rules]
            self._resources.create_many(RULES, bodies)
            self.done.rules_created += len(bodies)

    def _change_label(self, difference: LabelDifference) -> None:
        """Change what few added rules have left to change."""
        if difference.description:
            self._resources.change(LABELS, difference.label.id, {"description": difference.description[1]})
        if not _adds_few(difference):
            self._replace_rules(difference.label.id, difference)
        self.done.labels_changed += 1

    def _replace_rules(self, label_id: str, difference: LabelDifference) -> None:
        """Make a label's rules those wanted, in one transaction."""
        wanted = difference.wanted.rules if difference.wanted else ()
        self._resources.ask("PUT", f"{LABELS.change_path}/{label_id}/rules", {"rules": [rule_body(fields) for fields in wanted]})
        self.done.rules_created += len(difference.created_rules)
        self.done.rules_deleted += len(difference.deleted_rules)


def _adds_few(difference: LabelDifference) -> bool:
    """Tell whether a present label only gets some more rules, or none, which needs no replacement of them all."""
    return not difference.deleted_rules and len(difference.created_rules) <= BULK


def _chunks(filled: Sequence[tuple[str, LabelDifference]]) -> Iterator[list[tuple[str, LabelDifference]]]:
    """Put labels together as long as their rules fit into one request."""
    chunk: list[tuple[str, LabelDifference]] = []
    count = 0
    for label_id, each in filled:
        if chunk and count + len(each.created_rules) > BULK:
            yield chunk
            chunk, count = [], 0
        chunk.append((label_id, each))
        count += len(each.created_rules)
    if chunk:
        yield chunk

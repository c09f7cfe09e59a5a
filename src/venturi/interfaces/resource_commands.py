"""What commands on a server's resources do: ask the server, then write what it answers.

Owns the way from a command's request to its output. Asking belongs to the client, layout to ``render.resources``.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TextIO
from urllib.parse import quote

from venturi.adapters.client.collections import AGENTS, ALARMS, LABELS, POINTS, RULES, Attributes, Collection, ListRequest, Reference
from venturi.adapters.client.resources import PAGE, Resource, Resources
from venturi.core.domain.errors import InvalidRequestError, VenturiError
from venturi.core.rules.checks import printable
from venturi.interfaces.render.resources.derived import derive_columns, describe_match, shorten_identifier
from venturi.interfaces.render.resources.output import write_document, write_list, write_one
from venturi.interfaces.render.resources.selection import choose_columns, sort_rows
from venturi.interfaces.render.resources.state import STATE_COLUMNS, state_rows
from venturi.interfaces.render.resources.view import View
from venturi.interfaces.standard_output import write_note, write_paged, write_sentence, write_standard_output
from venturi.interfaces.uncounted_labels import note_uncounted

_DOCUMENT_FORMS = frozenset({"json", "yaml"})


class ResourceCommands:
    """The commands on the resources of one server; each gives the exit code."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def create(self, collection: Collection, attributes: Attributes, view: View) -> int:
        """Create a resource and write it; a column that there is not is refused before."""
        check_columns(collection, view)
        created = self._resources.create(collection, attributes)
        for warning in self._find_doubles(collection, created):
            write_sentence(f"warning: {warning}")
        return show(created, collection, view)

    def _find_doubles(self, collection: Collection, created: Resource) -> Iterator[str]:
        """Say which label has the name of the one just made in its project, or which rule of the label matches the same."""
        if collection is LABELS:
            named = self._resources.find_all(LABELS, (("name", str(created.get("name"))),))
            others = [each for each in named if each["id"] != created["id"] and each.get("project_id") == created.get("project_id")]
            if others:
                project, name = printable(created.get("project_id")), printable(created.get("name"))
                yield f"project '{project}' had a label '{name}' already, {others[0]['id']}: each counts by itself, and is named by its id"
        if collection is RULES:
            rules = self._resources.find_all(RULES, (("metering_label_id", str(created.get("metering_label_id"))),))
            others = [each for each in rules if each["id"] != created["id"] and describe_match(each) == describe_match(created)]
            if others:
                yield f"the label had this rule already, {others[0]['id']}: a packet counts once all the same"

    def create_point(self, attributes: Attributes, view: View) -> int:
        """Create an observation point and write it, then say which labels no point counts, of those that are read first."""
        check_columns(POINTS, view)
        point = self._resources.create(POINTS, attributes)
        show(point, POINTS, view)
        if not point.get("shared"):
            labels = self._resources.find_all(LABELS, (("shared", "false"),), PAGE)
            for note in note_uncounted(labels, self._resources.find_all(POINTS)):
                write_note(note)
        return 0

    def list(self, request: ListRequest, view: View) -> int:
        """Write the resources of a collection."""
        collection = request.collection
        for_people = view.form == "table"
        unasked = collection.listed if request.long else collection.table if for_people else collection.short
        columns = choose_columns(view.columns, collection.known, unasked)
        order = choose_columns(view.sort_columns, collection.known, collection.order if for_people else ())
        references = ((name, self._resources.identify(reference)) for name, reference in request.references.items())
        found = self._resources.find_all(collection, (*request.filters, *references), request.limit)
        names = self._label_names() if collection is RULES and found and "label" in (*columns, *order) else {}
        rows = sort_rows((derive_columns(collection, row, names) for row in found), order)
        if for_people and not (request.long or view.columns):
            rows = [shorten_identifier(row) for row in rows]
        write_paged(partial(write_list, rows, columns, replace(view, columns=(), sort_columns=())))
        return 0

    def _label_names(self) -> dict[str, str]:
        return {str(label["id"]): str(label.get("name")) for label in self._resources.find_all(LABELS)}

    def show(self, reference: Reference, view: View) -> int:
        """Write one resource."""
        check_columns(reference.collection, view)
        return show(self._resources.find(reference), reference.collection, view)

    def change(self, reference: Reference, changes: Mapping[str, object]) -> int:
        """Change a resource and write nothing."""
        if not changes:
            message = f"nothing is said of what to change of the {reference.collection.noun}"
            raise InvalidRequestError(message)
        self._resources.change(reference.collection, self._resources.identify(reference), changes)
        return 0

    def change_found(self, reference: Reference, choose: Callable[[Resource], Mapping[str, object]]) -> int:
        """Change a resource by what ``choose`` makes of it as it is, and write nothing."""
        found = self._resources.find(reference)
        return self.change(Reference(reference.collection, str(found["id"])), choose(found))

    def delete(self, references: Sequence[Reference]) -> int:
        """Delete resources, none of them unless all are there; where one fails, the error says how many are deleted."""
        identifiers = dict.fromkeys(self._resources.identify(reference) for reference in references)
        collection = references[0].collection
        for number, identifier in enumerate(identifiers):
            try:
                self._resources.delete(collection, identifier)
            except VenturiError as error:
                if not number:
                    raise
                message = f"{error} ({number} of {len(identifiers)} were deleted before)"
                raise type(error)(message) from error
        return 0

    def rotate(self, reference: Reference, overlap: int, view: View) -> int:
        """Make a token like another, which ends after ``overlap`` seconds, and write it with its secret."""
        check_columns(reference.collection, view)
        path = f"{reference.collection.path}/{quote(self._resources.identify(reference), safe='')}/rotations"
        made = dict(self._resources.ask("POST", path, {"overlap_seconds": overlap}))
        return show(made, reference.collection, view)

    def acknowledge(self, alarm_ids: Sequence[str]) -> int:
        """Acknowledge alarms, one after the other."""
        for alarm_id in [self._resources.complete(ALARMS, text) for text in alarm_ids]:
            self._resources.ask("PUT", f"{ALARMS.path}/{quote(alarm_id, safe='')}/acknowledgement")
        return 0

    def show_agent(self, agent_id: str, view: View) -> int:
        """Write what is known of an agent."""
        check_columns(AGENTS, view)
        return show(dict(self._resources.ask("GET", f"{AGENTS.path}/{quote(agent_id, safe='')}")), AGENTS, view)

    def forget_agents(self, agent_ids: Sequence[str]) -> int:
        """Have the server forget agents that are gone, one after the other."""
        for agent_id in agent_ids:
            self._resources.delete(AGENTS, agent_id)
        return 0

    def decide(self, path: str, intervals: Sequence[str], form: Mapping[str, object], done: str) -> int:
        """Decide about what is held, all that is named or meant, and say how much that was; it may take several postings."""
        body = {**form, **({"intervals": [_read_position(text) for text in intervals]} if intervals else {})}
        decided, remaining = 0, True
        while remaining:
            answer = self._resources.ask("POST", path, body)
            decided, remaining = decided + int(str(answer["intervals"])), bool(answer["remaining"])
        write_standard_output(partial(_write_line, f"{decided} {'interval' if decided == 1 else 'intervals'} {done}"))
        return 0

    def show_state(self, number: int, view: View) -> int:
        """Write all labels, rules and observation points of a revision: rows, or the whole document as JSON or YAML."""
        columns = choose_columns(view.columns, STATE_COLUMNS, STATE_COLUMNS)
        document = self._resources.ask("GET", f"/v1/revisions/{number}/state")
        if view.form in _DOCUMENT_FORMS:
            write_standard_output(partial(write_document, document, view))
        else:
            write_paged(partial(write_list, state_rows(document), columns, replace(view, columns=(), sort_columns=())))
        return 0


def _write_line(line: str, stream: TextIO) -> None:
    stream.write(f"{line}\n")


def _read_position(text: str) -> dict[str, int]:
    """Read an interval as ``POSTING.ORDINAL``; else ``InvalidRequestError``."""
    found = re.fullmatch("([0-9]{1,18})[.]([0-9]{1,9})", text)
    if found is None:
        message = f"'{printable(text)}' is no interval: give POSTING.ORDINAL, such as 17.0"
        raise InvalidRequestError(message)
    return {"posting": int(found[1]), "ordinal": int(found[2])}


def show(resource: Resource, collection: Collection, view: View) -> int:
    """Write a resource with the columns that it has, or those asked for; give the exit code."""
    known = (*collection.columns, *collection.details)
    columns = choose_columns(view.columns, known, [name for name in known if name in resource])
    write_paged(partial(write_one, resource, columns, view))
    return 0


def check_columns(collection: Collection, view: View) -> None:
    """Refuse a column that no such resource has with ``InvalidRequestError``."""
    choose_columns(view.columns, (*collection.columns, *collection.details), ())

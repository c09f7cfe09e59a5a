"""The attributes of labels and rules in bodies of the Networking API: which there are, and how they are checked.

Owns the order of the checks and the types of their refusals; the checks themselves are those of rules files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from venturi.core.domain.control.principal import Principal
from venturi.core.domain.errors import InvalidLabelError, InvalidRuleError, RefusedRequestError
from venturi.core.domain.prefix import Prefix
from venturi.core.rules.checks import Show, check_prefix, missing_attribute_message
from venturi.interfaces.api.neutron.bodies import Attributes
from venturi.interfaces.api.neutron.errors import BAD_REQUEST

Checked = TypeVar("Checked")
Check = Callable[[str, object, Show], Checked]

INVALID_INPUT = "InvalidInput"
INVALID = "Invalid"

_ECHOED = 2048
_FOREIGN_PROJECT = "Specifying 'project_id' other than the authenticated project in request is not allowed for the current user."


@dataclass(frozen=True)
class Resource:
    """A kind of resource: its name, that of its collection, and its attributes in the order in which they are looked at.

    ``required`` ones must be given; ``late`` ones are refused in a PUT only after the resource was found.
    """

    name: str
    collection: str
    attributes: Sequence[str]
    required: Sequence[str] = ()
    late: Sequence[str] = ()


LABEL = Resource("metering_label", "metering_labels", ("id", "name", "description", "tenant_id", "shared", "project_id"))
RULE = Resource(
    "metering_label_rule",
    "metering_label_rules",
    (
        "id",
        "metering_label_id",
        "direction",
        "excluded",
        "remote_ip_prefix",
        "tenant_id",
        "source_ip_prefix",
        "destination_ip_prefix",
        "project_id",
    ),
    required=("metering_label_id", "direction"),
    late=("source_ip_prefix", "destination_ip_prefix"),
)


class AttributeReader:
    """Reads the attributes of one resource, each through its check."""

    def __init__(self, given: Attributes) -> None:
        """Read ``given``."""
        self._given = given

    def read(self, name: str, check: Check[Checked], default: Checked, kind: str = BAD_REQUEST) -> Checked:
        """Give the checked attribute, ``default`` where it is not given; raises ``RefusedRequestError`` of type ``kind``."""
        if name not in self._given:
            return default
        return check_value(name, self._given[name], check, kind)


def open_new(resource: Resource, given: Attributes, caller: Principal) -> AttributeReader:
    """Begin to read a resource to be made; raises ``RefusedRequestError`` for attributes that may not or must be there."""
    given = _check_names(resource, given, caller)
    if "id" in given:
        message = "Attribute 'id' not allowed in POST"
        raise RefusedRequestError(message)
    for name in resource.required:
        if name not in given:
            message = f"Failed to parse request. {missing_attribute_message(name)}"
            raise RefusedRequestError(message)
    return AttributeReader(given)


def refuse_changes(resource: Resource, given: Attributes, caller: Principal) -> None:
    """Refuse to change any attribute that the Networking API lets nobody change; raises ``RefusedRequestError``."""
    given = _check_names(resource, given, caller)
    for name in resource.attributes:
        if name in given and name not in resource.late:
            message = f"Cannot update read-only attribute {name}"
            raise RefusedRequestError(message)


def refuse_late_changes(resource: Resource, given: Attributes) -> NoReturn:
    """Refuse what is left of a PUT once the resource was found; always raises ``RefusedRequestError``."""
    message = next((f"Cannot update read-only attribute {name}" for name in resource.late if name in given), "Nothing to update")
    raise RefusedRequestError(message)


def check_value(name: str, value: object, check: Check[Checked], kind: str = BAD_REQUEST) -> Checked:
    """Check a value; raises ``RefusedRequestError`` of type ``kind`` where the check refuses it."""
    try:
        return check(name, value, echo)
    except (InvalidLabelError, InvalidRuleError) as error:
        raise RefusedRequestError(str(error), kind) from error


def check_given_prefix(attribute: str, value: object, show: Show) -> Prefix | None:
    """Check a prefix; an empty text is as good as none."""
    return None if value == "" else check_prefix(attribute, value, show)


def echo(value: object) -> str:
    """Spell a value as it came, for a message; a long one is cut."""
    try:
        text = str(value)
    except (RecursionError, ValueError):
        text = type(value).__name__
    return text if len(text) <= _ECHOED else f"{text[:_ECHOED]}…"


def _check_names(resource: Resource, given: Attributes, caller: Principal) -> Attributes:
    """Settle the project's two names and refuse attributes that there are not."""
    project_names = [name for name in ("project_id", "tenant_id") if name in given]
    projects = [given[name] for name in project_names]
    if any(project != projects[0] for project in projects):
        message = "'project_id' and 'tenant_id' do not match"
        raise RefusedRequestError(message)
    if projects and projects[0] != caller.project_id and not caller.is_admin:
        raise RefusedRequestError(_FOREIGN_PROJECT)
    unknown = [name for name in given if name not in resource.attributes]
    if unknown:
        message = f"Unrecognized attribute(s) '{echo(', '.join(unknown))}'"
        raise RefusedRequestError(message)
    return {**given, "project_id": projects[0], "tenant_id": projects[0]} if projects else given

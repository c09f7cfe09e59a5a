"""Template sets read (RFC 3954 §5.2 and §6.1, RFC 7011 §3.4 and §8.1).

Owns the syntax of templates. Keeping them is the affair of ``template_store``, compiling them that of ``layout``.
"""

import struct
from typing import NamedTuple

from venturi.core.decode.export.elements import V9_SCOPE_ENTERPRISE, Field, Template

IPFIX = 10
V9_TEMPLATES = 0
V9_OPTIONS_TEMPLATES = 1
IPFIX_TEMPLATES = 2
IPFIX_OPTIONS_TEMPLATES = 3
OPTIONS_TEMPLATES = (V9_OPTIONS_TEMPLATES, IPFIX_OPTIONS_TEMPLATES)
_FIRST_DATA_SET = 256
_ENTERPRISE_BIT = 0x8000
_PAIR = struct.Struct("!HH")
_TRIPLE = struct.Struct("!HHH")


class TemplateSet(NamedTuple):
    """What a template set holds; ``IPFIX_TEMPLATES`` and ``IPFIX_OPTIONS_TEMPLATES`` as withdrawn numbers stand for all of their kind."""

    templates: list[Template]
    withdrawn: list[int]
    malformed: int


def read_template_set(octets: bytes, set_id: int) -> TemplateSet:
    """Read the records of a template set, its header cut off; what follows a malformed record cannot be read."""
    found = TemplateSet([], [], 0)
    place = 0
    while len(octets) - place >= _PAIR.size:
        number, count = _PAIR.unpack_from(octets, place)
        if number == 0 and count == 0:
            break
        if count == 0 and set_id in (IPFIX_TEMPLATES, IPFIX_OPTIONS_TEMPLATES):
            found.withdrawn.append(number)
            place += _PAIR.size
            continue
        template = _read_template(octets, place, set_id)
        if template is None:
            return found._replace(malformed=1)
        found.templates.append(template)
        place += len(template.definition)
    return found


def _read_template(octets: bytes, place: int, set_id: int) -> Template | None:
    number, count = _PAIR.unpack_from(octets, place)
    if set_id == V9_OPTIONS_TEMPLATES:
        fields, end = _read_v9_options(octets, place)
    else:
        header = _TRIPLE.size if set_id == IPFIX_OPTIONS_TEMPLATES else _PAIR.size
        fields, end = _read_fields(octets, place + header, count, ipfix=set_id != V9_TEMPLATES)
    if number < _FIRST_DATA_SET or end > len(octets) or not any(field.length for field in fields):
        return None
    return Template(number, set_id, tuple(fields), set_id in OPTIONS_TEMPLATES, octets[place:end])


def _read_v9_options(octets: bytes, place: int) -> tuple[list[Field], int]:
    if len(octets) - place < _TRIPLE.size:
        return [], len(octets) + 1
    _, scope_length, option_length = _TRIPLE.unpack_from(octets, place)
    scopes, place = _read_fields(octets, place + _TRIPLE.size, scope_length // _PAIR.size, ipfix=False)
    options, place = _read_fields(octets, place, option_length // _PAIR.size, ipfix=False)
    return [scope._replace(enterprise=V9_SCOPE_ENTERPRISE) for scope in scopes] + options, place


def _read_fields(octets: bytes, place: int, count: int, *, ipfix: bool) -> tuple[list[Field], int]:
    """Read ``count`` field specifiers; give them and where they end, beyond the octets if they are cut off."""
    fields: list[Field] = []
    while len(fields) < count and place + _PAIR.size <= len(octets):
        element, length = _PAIR.unpack_from(octets, place)
        place += _PAIR.size
        enterprise = 0
        if ipfix and element & _ENTERPRISE_BIT:
            enterprise = int.from_bytes(octets[place : place + 4])
            element &= ~_ENTERPRISE_BIT
            place += 4
        fields.append(Field(enterprise, element, length))
    return fields, place if len(fields) == count else len(octets) + 1

"""Texts and numbers that fields of the own API may hold, each with its bounds and a sentence for what breaks them.

Owns the types of fields. Which fields a form has is said by the form.
"""

from typing import Annotated

from msgspec import Meta

from venturi.core.domain.grammars import ADDRESS, PREFIX, TIME, TIME_OF_USAGE
from venturi.core.domain.text import UNFIT_CHARACTERS

_HIGHEST_NUMBER = 0xFFFF_FFFF
_HOST_PART = "[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"^{_HOST_PART}(\.{_HOST_PART})*\Z"
_DEVICE = r"^[!-\-0-9;-~][!-.0-9;-~]{0,14}\Z"
_NAMESPACE = r"^[A-Za-z0-9_][A-Za-z0-9_.:@+~=,-]{0,238}\Z"
_FIT, _ENDING = rf"[^{UNFIT_CHARACTERS}]", rf"[^\s{UNFIT_CHARACTERS}]"
_WITHOUT_BLANKS = "a text without control and invisible characters that neither begins nor ends with a blank"
_AGENT = r"^[A-Za-z0-9][A-Za-z0-9._:@-]{0,254}\Z"

PRINTABLE = rf"^({_ENDING}|{_ENDING}{_FIT}*{_ENDING})\Z"
"""A text without unfit characters (``core.domain.text``) and outer blanks."""

PRINTABLE_OR_EMPTY = rf"^({_ENDING}({_FIT}*{_ENDING})?)?\Z"
"""Such a text, or none."""

FIT_OR_EMPTY = rf"^{_FIT}*\Z"
"""A text without unfit characters, or none."""

REFUSALS = {
    _HOST: "a host name: letters, digits, hyphens and underscores in parts of at most 63, joined by dots",
    _DEVICE: "the name of a network device: at most 15 octets of ASCII without blanks, '/' and ':', not beginning with a dot",
    _NAMESPACE: "the name of a network namespace: a plain file name of letters, digits and _.:@+~=,- that begins with a letter or digit",
    PRINTABLE: _WITHOUT_BLANKS,
    PRINTABLE_OR_EMPTY: _WITHOUT_BLANKS,
    _AGENT: "an agent id: letters, digits and ._:@- that begin with a letter or digit",
}
"""What each pattern stands for, in words."""

Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=PRINTABLE, description="A name for people; it need not be unique.")]
ProjectId = Annotated[str, Meta(min_length=1, max_length=255, pattern=PRINTABLE, description="The project that owns it.")]
Host = Annotated[
    str, Meta(min_length=1, max_length=253, pattern=_HOST, description="A host name, kept in lower case.", examples=["edge-1"])
]
Device = Annotated[str, Meta(pattern=_DEVICE, description="The name of a network device.", examples=["eth0"])]
Namespace = Annotated[str, Meta(pattern=_NAMESPACE, description="The name of a network namespace of the host.", examples=["blue"])]
AgentId = Annotated[str, Meta(pattern=_AGENT, description="What an agent calls itself.", examples=["agent-1"])]
Address = Annotated[
    str,
    Meta(
        max_length=45,
        description="An IPv4 or IPv6 address without zone.",
        examples=["192.0.2.1", "2001:db8::1"],
        extra_json_schema={"pattern": ADDRESS},
    ),
]
PrefixText = Annotated[
    str,
    Meta(
        max_length=80,
        description="An IPv4 or IPv6 prefix; host bits are kept and ignored in matching.",
        examples=["10.0.0.0/24"],
        extra_json_schema={"pattern": PREFIX},
    ),
]
FitText = Annotated[str, Meta(pattern=FIT_OR_EMPTY)]
Number32 = Annotated[int, Meta(ge=0, le=_HIGHEST_NUMBER)]
Identifier = Annotated[str, Meta(description="A UUID.", extra_json_schema={"format": "uuid"})]
GivenTime = Annotated[
    str, Meta(description="A time in RFC 3339, or a date.", examples=["2026-03-01T00:00:00Z"], extra_json_schema={"pattern": TIME})
]
TimeOfUsage = Annotated[
    str,
    Meta(
        description="A time in RFC 3339, or a date, from 1970 on.",
        examples=["2026-03-01T00:00:00Z"],
        extra_json_schema={"pattern": TIME_OF_USAGE},
    ),
]
TimeText = Annotated[str, Meta(description="A time in RFC 3339, UTC.", extra_json_schema={"format": "date-time"})]

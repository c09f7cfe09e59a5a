"""The grammars of times, addresses and prefixes, as regular expressions for documents.

Owns what documents say of such texts. They are read by the parsers beside, to which a property test holds each grammar.
"""

_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4 = rf"({_OCTET}\.){{3}}{_OCTET}"
_GROUP = "[0-9A-Fa-f]{1,4}"
_LAST = f"({_GROUP}:{_GROUP}|{_IPV4})"
_IPV6 = "|".join(
    (
        f"({_GROUP}:){{6}}{_LAST}",
        f"::({_GROUP}:){{5}}{_LAST}",
        *(f"(({_GROUP}:){{0,{before}}}{_GROUP})?::({_GROUP}:){{{4 - before}}}{_LAST}" for before in range(5)),
        f"(({_GROUP}:){{0,5}}{_GROUP})?::{_GROUP}",
        f"(({_GROUP}:){{0,6}}{_GROUP})?::",
    )
)
"""RFC 3986 §3.2.2."""

_ONES = "(0|128|192|224|240|248|252|254|255)"
_REST = "(0|1|3|7|15|31|63|127|255)"
_NETMASK = "|".join(r"255\." * full + _ONES + r"\.0" * (3 - full) for full in range(4))
_WILDCARD = "|".join(r"0\." * none + _REST + r"\.255" * (3 - none) for none in range(4))
_LENGTH_4 = "0*(3[0-2]|[12]?[0-9])"
_LENGTH_6 = "0*(12[0-8]|1[01][0-9]|[1-9]?[0-9])"

ADDRESS = rf"^({_IPV4}|{_IPV6})\Z"
"""An IPv4 or IPv6 address without a zone."""

_PREFIX = f"{_IPV4}(/({_LENGTH_4}|{_NETMASK}|{_WILDCARD}))?|({_IPV6})(/{_LENGTH_6})?"
PREFIX = rf"^({_PREFIX})\Z"
"""An address, alone or with a length, of IPv4 also with a netmask or a wildcard."""

PREFIX_OR_EMPTY = rf"^({_PREFIX})?\Z"
"""A prefix, or an empty text for none."""

_LEAP = "(0[48]|[2468][048]|[13579][26])"
"""The last two digits of a leap year that ends no century, and the first two of one that does."""

_LONG, _SHORT = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])", "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
_HOUR = "([01][0-9]|2[0-3])"


def _time(year: str, leap_year: str) -> str:
    """Give the grammar of the times within years, some of which are leap years."""
    date = f"({year}-({_LONG}|{_SHORT}|02-(0[1-9]|1[0-9]|2[0-8]))|{leap_year}-02-29)"
    return rf"^{date}([Tt ]{_HOUR}:[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,9}})?([Zz]|[+-]{_HOUR}:[0-5][0-9]))?\Z"


TIME = _time("([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])", f"([0-9]{{2}}{_LEAP}|{_LEAP}00)")
"""A time in RFC 3339 with at most nine fractional digits and without a leap second, or a date for its midnight UTC."""

TIME_OF_USAGE = _time("(19[7-9][0-9]|[2-9][0-9]{3})", f"(19(7[26]|8[048]|9[26])|[2-9][0-9]{_LEAP}|([2468][048]|[3579][26])00)")
"""Such a time from the year 1970 on, by its own clock."""

TIME_OF_EXPIRY = _time(
    "([01][1-9][0-9]{2}|[01]0[1-9][0-9]|[01]00[1-9]|1000|2[01][0-9]{2}|22[0-5][0-9]|226[01])",
    f"([01][0-9]{_LEAP}|2[01]{_LEAP}|22(0[48]|[24][048]|[135][26]|60)|(0[48]|1[26]|20)00)",
)
"""Such a time until the year 2261, by its own clock: what follows can be kept in 64 bits of nanoseconds whatever its zone."""

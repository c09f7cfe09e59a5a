"""Whatever is asked of any operation, the answer is one that the document describes, and never a failure of the server.

What the document allows is accepted, but for ``RELATIONS`` between fields and ``CLOCK``; what it does not allow is refused.
"""

import re
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.v1.conftest import Caller
from tests.support.document import make_document
from venturi.core.ledger.batch import MEDIA_TYPE

schemathesis.serializer.alias(MEDIA_TYPE, "application/octet-stream")

EXAMPLES = 12
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


def _schema(*modes: str, without: str = "^/docs") -> BaseSchema:
    """Load the document, for requests that it allows, that it does not allow, or both."""
    config = SchemathesisConfig.from_dict({"generation": {"mode": modes[0] if len(modes) == 1 else "all"}})
    return schemathesis.openapi.from_dict(make_document(), config=config).exclude(path_regex=without)


SCHEMA = _schema("positive", "negative")
REFUSING = "Refuse to"
"""How the summary of an operation begins that refuses whatever it is sent."""

ALLOWED = _schema("positive", without=f"^(/docs|{re.escape('/v1/batches')})").exclude(
    lambda context: context.operation.definition.raw["summary"].startswith(REFUSING)
)
"""A batch is octets, of which the document says nothing."""

FORBIDDEN = _schema("negative").exclude(
    lambda context: not context.operation.definition.raw["parameters"] and "requestBody" not in context.operation.definition.raw
)
"""Nothing can be wrong with what takes nothing."""

RELATIONS = {
    "a report begins before it ends": r"from: a report begins before it ends$",
    "a report has no more intervals of its resolution than it may": r"a report has at most",
    "a report has a period or bounds of its own": r"(from|to): a period has its own bounds",
    "a period is in the calendar": r"period: .*(is no period such as|left that date out)",
    "an order is one of the largest": r"order_by: it ranks the largest",
    "a comparison is of the whole report, and of a time of which there can be usage": r"compare: (a comparison is of|no usage is older)",
    "rates are of days or longer, and have a percentile from 0 to 100": r"(unit: rates are of many|percentile: )",
    "a forecast is of a period": r"forecast: it is of a whole period",
    "as many sort_dir as sort_key": r"The number of sort_keys and sort_dirs must be same",
    "project_id and tenant_id are the same": r"'project_id' and 'tenant_id' do not match",
    "an agent's token has an agent and a host, and no other has": r"a token of role agent is bound to an agent id and a host",
    "source and destination are of one family": r"source and destination: |.*prefixes of a rule are of one family",
    "a rule has a prefix, and a remote one alone": r".*(You must define at least one of|Cannot use 'remote-ip-prefix')",
    "no entry is corrected twice": r"entries: two of them name the same entry",
    "no interval is decided twice": r"intervals: two of them are the same",
    "intervals are named, or chosen by their attributes": r"intervals: name them, or give at least one of",
    "no label or rule is changed or deleted twice": r".* is named in .* already",
    "places and attributes of a point fit its kind": r".*: a point of kind ",
    "what a contract says fits together": r"(unit|currency|tiers|members|percentile|least_known|of|zone|begins_at|ends_at): ",
    "a contract is about a boundary that there is": r"boundary: no observation point is of boundary",
}
"""What fields must be to each other, which JSON Schema does not tell: sentences by which it is refused."""

CLOCK = {
    "a report begins before now": r"from: a report begins before now$",
    "a period has begun": r"period: .* is yet to begin$",
    "a token ends after now": r"a token that has expired already",
}
"""What fields must be to the present time, which no schema knows: sentences by which it is refused."""


@pytest.mark.parametrize("who", ["admin", "reader"])
@SCHEMA.parametrize()
@SETTINGS
def test_answers_are_as_described(case: Case[Any], who: str, callers: dict[str, Caller]) -> None:
    caller = callers[who]
    response = case.call(base_url=caller.server.url, headers={"X-Auth-Token": caller.secret}, timeout=30)
    case.validate_response(response, checks=CHECKS)


@ALLOWED.parametrize()
@SETTINGS
def test_what_is_allowed_is_accepted_but_for_relations_between_fields_and_to_the_clock(case: Case[Any], callers: dict[str, Caller]) -> None:
    caller = callers["admin"]
    response = case.call(base_url=caller.server.url, headers={"X-Auth-Token": caller.secret}, timeout=30)
    try:
        case.validate_response(response, checks=[not_a_server_error, positive_data_acceptance])
    except FailureGroup as group:
        error = response.json()
        sentence = (error.get("NeutronError") or error["error"])["message"]
        related = any(re.match(pattern, sentence) for pattern in [*RELATIONS.values(), *CLOCK.values()])
        if not related or any(not isinstance(each, RejectedPositiveData) for each in group.exceptions):
            raise


@FORBIDDEN.parametrize()
@SETTINGS
def test_what_is_not_allowed_is_refused(case: Case[Any], callers: dict[str, Caller]) -> None:
    caller = callers["admin"]
    response = case.call(base_url=caller.server.url, headers={"X-Auth-Token": caller.secret}, timeout=30)
    case.validate_response(response, checks=[not_a_server_error, negative_data_rejection])

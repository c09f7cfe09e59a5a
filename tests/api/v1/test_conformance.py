"""Whatever is asked of any operation, the answer is one that the document describes, and never a failure of the server."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.api.v1.conftest import Caller
from venturi.core.ledger.batch import MEDIA_TYPE
from venturi.interfaces.api.v1.description.document import make_document

schemathesis.serializer.alias(MEDIA_TYPE, "application/octet-stream")

EXAMPLES = 12
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(make_document(1000)).exclude(path_regex="^/docs")
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


@pytest.mark.parametrize("who", ["admin", "reader"])
@SCHEMA.parametrize()
@SETTINGS
def test_answers_are_as_described(case: Case[Any], who: str, callers: dict[str, Caller]) -> None:
    caller = callers[who]
    response = case.call(base_url=caller.server.url, headers={"X-Auth-Token": caller.secret}, timeout=30)
    case.validate_response(response, checks=CHECKS)

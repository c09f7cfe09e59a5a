"""Bodies and queries that are refused, each with a sentence that names the field."""

import pytest

from venturi.core.domain.errors import VenturiError
from venturi.core.domain.point import ExporterPlace, InterfacePlace, PointPlace, RouterPlace
from venturi.interfaces.api.v1.forms.explaining import QuestionForm
from venturi.interfaces.api.v1.forms.labels import LabelChangesForm, NewRulesForm, rule_fields
from venturi.interfaces.api.v1.forms.points import PointChangesForm, new_point, point_changes, read_new_point
from venturi.interfaces.api.v1.forms.reading import read_body, read_listing
from venturi.interfaces.api.v1.forms.tokens import NewTokenForm, new_token

UUID = "6A1B7B3C-6f0e-4c0e-9a43-3a5c6d0f4c11"
POINT = '{"kind":"interface","name":"a","host":"h","device":"eth0"%s}'
EXPORTER = '{"kind":"exporter","name":"a","address":"192.0.2.1"%s}'

REFUSED_POINTS = [
    pytest.param("", "no JSON", id="nothing"),
    pytest.param("{", "no JSON", id="cut off"),
    pytest.param("[" * 50_000, "the body", id="deep"),
    pytest.param("[]", "the body: Expected 'object'", id="a list"),
    pytest.param("{}", "kind: this field is required", id="no kind"),
    pytest.param('{"kind":"capture","name":"a"}', "kind: Invalid value 'capture'", id="a kind that no server keeps"),
    pytest.param('{"kind":"interface","name":"a","device":"eth0"}', "host: this field is required", id="no host"),
    pytest.param(POINT % ',"colour":1', "there is no field 'colour' here", id="an unknown field"),
    pytest.param(POINT % ',"router_id":"%s"' % UUID, "there is no field 'router_id' here", id="a field of another kind"),
    pytest.param(POINT % ',"namespace":"a/b"', "namespace: expected the name", id="a namespace with a slash"),
    pytest.param(POINT % ',"namespace":".."', "namespace: expected the name", id="a namespace that is no file"),
    pytest.param(POINT % ',"traffic":"all"', "traffic: Invalid enum value 'all'", id="other traffic"),
    pytest.param(POINT % ',"shared":"yes"', "shared: Expected 'bool'", id="a text for a boolean"),
    pytest.param(POINT % ',"project_id":" 7"', "project_id: expected a text", id="an outer blank"),
    pytest.param(POINT.replace('"a"', '"a\\n"') % "", "name: expected a text without control and invisible characters", id="a line end"),
    pytest.param(POINT.replace('"a"', '""') % "", "name: Expected 'str' of length >= 1", id="an empty name"),
    pytest.param(POINT.replace('"a"', f'"{"a" * 256}"') % "", "name: Expected 'str' of length <= 255", id="a long name"),
    pytest.param(POINT.replace('"h"', '"-h"') % "", "host: expected a host name", id="a host that begins with a hyphen"),
    pytest.param(POINT.replace('"h"', f'"{"h" * 64}"') % "", "host: expected a host name", id="a long part of a host name"),
    pytest.param(POINT.replace("eth0", "eth0123456789012") % "", "device: expected the name", id="a device of 16 octets"),
    pytest.param(POINT.replace("eth0", "a/b") % "", "device: expected the name", id="a device with a slash"),
    pytest.param(POINT.replace("eth0", "é") % "", "device: expected the name", id="a device beyond ASCII"),
    pytest.param('{"kind":"router","name":"a","router_id":"r1"}', "router_id: Invalid UUID", id="a router without UUID"),
    pytest.param(EXPORTER.replace("192.0.2.1", "192.0.2") % "", "address: '192.0.2'", id="half an address"),
    pytest.param(EXPORTER.replace("192.0.2.1", "fe80::1%%eth0") % "", "address: 'fe80::1%eth0' names an IPv6 zone", id="a zone"),
    pytest.param(EXPORTER % ',"observation_domain":4294967296', "observation_domain: Expected 'int' <=", id="a domain of 33 bits"),
    pytest.param(EXPORTER % ',"outside_interfaces":[1,-1]', "outside_interfaces[1]: Expected 'int' >= 0", id="a negative interface"),
    pytest.param(EXPORTER % ',"collector_host":""', "collector_host: Expected 'str' of length >= 1", id="an empty collector"),
]

POINTS: list[tuple[str, PointPlace]] = [
    (POINT.replace('"h"', '"Edge-1.Example"') % "", InterfacePlace(host="edge-1.example", device="eth0")),
    (POINT % ',"namespace":"blue"', InterfacePlace(host="h", device="eth0", namespace="blue")),
    (POINT % ',"namespace":null', InterfacePlace(host="h", device="eth0")),
    (f'{{"kind":"router","name":"a","router_id":"{UUID}"}}', RouterPlace(router_id=UUID.lower())),
    (EXPORTER % ',"outside_interfaces":[7,3,7]', ExporterPlace(address="192.0.2.1", outside_interfaces=(3, 7))),
    (EXPORTER.replace("192.0.2.1", "2001:DB8:0::1") % "", ExporterPlace(address="2001:db8::1")),
    (
        EXPORTER % ',"observation_domain":0,"collector_host":"C"',
        ExporterPlace(address="192.0.2.1", observation_domain=0, collector_host="c"),
    ),
]

REFUSED_QUERIES = [
    pytest.param({"limit": ["0"]}, "limit: '0' is no whole number from 1 to 1000", id="no resources"),
    pytest.param({"limit": ["1001"]}, "limit: '1001'", id="too many resources"),
    pytest.param({"limit": ["-1"]}, "limit: '-1'", id="a negative limit"),
    pytest.param({"limit": ["٣"]}, "limit: '٣'", id="digits of another script"),
    pytest.param({"limit": ["1", "2"]}, "limit: given 2 times", id="two limits"),
    pytest.param({"colour": ["red"]}, "colour: this list has no such parameter", id="an unknown filter"),
    pytest.param({"shared": ["yes"]}, "shared: 'yes' is neither true nor false", id="a boolean in words"),
    pytest.param({"name": ["a\0"]}, "name: control and invisible characters", id="a filter that nothing can meet"),
    pytest.param({"marker": ["a\0"]}, "marker: control and invisible characters", id="a marker that nothing can have"),
]


@pytest.mark.parametrize(("body", "sentence"), REFUSED_POINTS)
def test_a_refused_point_names_the_field(body: str, sentence: str) -> None:
    with pytest.raises(VenturiError) as refused:
        new_point(read_new_point(body.encode()))
    assert sentence in str(refused.value)
    assert refused.value.status == 400


@pytest.mark.parametrize(("body", "place"), POINTS)
def test_a_point_is_read(body: str, place: PointPlace) -> None:
    assert new_point(read_new_point(body.encode())).place == place


def test_changes_keep_apart_what_is_null_and_what_is_not_given() -> None:
    changes = point_changes(read_body(b'{"name":"b","namespace":null,"host":"H","outside_interfaces":[2,1]}', PointChangesForm))
    assert changes.own == {"name": "b"}
    assert changes.place == {"namespace": None, "host": "h", "outside_interfaces": (1, 2)}


@pytest.mark.parametrize("body", [b'{"kind":"router"}', b'{"id":"1"}', b'{"project_id":"7"}', b'{"name":null}'])
def test_what_does_not_change(body: bytes) -> None:
    with pytest.raises(VenturiError):
        read_body(body, PointChangesForm)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ('{"direction":"both","source_ip_prefix":"10.0.0.0/8"}', "rules[0]: Invalid input for direction"),
        ('{"direction":"egress"}', "rules[0]: You must define at least one"),
        ('{"direction":"egress","source_ip_prefix":"10.0.0.0/33"}', "rules[0]: source_ip_prefix: 10.0.0.0/33 is invalid"),
        ('{"direction":"egress","source_ip_prefix":"10.0.0.0/8","remote_ip_prefix":"10.0.0.0/8"}', "rules[0]: Cannot use"),
        ('{"direction":"egress","source_ip_prefix":"::/0","destination_ip_prefix":"10.0.0.0/8"}', "rules[0]: Cannot use"),
        ('{"direction":"egress","metering_label_id":"1"}', "there is no field 'metering_label_id' here"),
    ],
)
def test_a_refused_rule_is_named(rule: str, sentence: str) -> None:
    with pytest.raises(VenturiError) as refused:
        [rule_fields(number, form) for number, form in enumerate(read_body(f'{{"rules":[{rule}]}}'.encode(), NewRulesForm).rules)]
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("body", "form", "sentence"),
    [
        (b'{"name":" a"}', LabelChangesForm, "name: expected a text"),
        (b'{"description":"%s"}' % (b"a" * 1025), LabelChangesForm, "description: Expected 'str' of length <= 1024"),
        (b'{"shared":true}', LabelChangesForm, "there is no field 'shared' here"),
        (b'{"source":"a","destination":"b"}', QuestionForm, "direction: this field is required"),
        (b'{"source":"a","destination":"b","direction":"in"}', QuestionForm, "direction: Invalid enum value 'in'"),
        (b'{"role":"root"}', NewTokenForm, "role: Invalid enum value 'root'"),
        (b'{"role":"agent","agent_id":"a b","host":"h"}', NewTokenForm, "agent_id: expected an agent id"),
        (b'{"role":"agent","agent_id":"a","host":"h_!"}', NewTokenForm, "host: expected a host name"),
    ],
)
def test_other_forms_name_the_field(body: bytes, form: type, sentence: str) -> None:
    with pytest.raises(VenturiError) as refused:
        read_body(body, form)
    assert sentence in str(refused.value)


def test_an_expiry_that_is_no_time() -> None:
    with pytest.raises(VenturiError, match=r"^expires_at: 'soon' is not"):
        new_token(read_body(b'{"role":"reader","expires_at":"soon"}', NewTokenForm))


@pytest.mark.parametrize(("query", "sentence"), REFUSED_QUERIES)
def test_a_refused_query_names_the_parameter(query: dict[str, list[str]], sentence: str) -> None:
    with pytest.raises(VenturiError) as refused:
        read_listing(query, 1000, {"name": str, "shared": bool})
    assert sentence in str(refused.value)


def test_a_query_becomes_a_listing() -> None:
    listing = read_listing({"name": ["a", "b"], "shared": ["true"], "limit": ["5"]}, 1000, {"name": str, "shared": bool})
    assert dict(listing.filters) == {"name": ("a", "b"), "shared": (True,)}
    assert listing.limit == 6

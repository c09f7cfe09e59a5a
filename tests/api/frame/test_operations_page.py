"""The page for operators has every key, default, limit and metric as the code has them."""

import re

import msgspec
import pytest

from tests.architecture.text_checks import read_table
from tests.support.sources import DOCS
from venturi.adapters.keystone.configuration import KeystoneConfig
from venturi.adapters.server.refusals import STATUSES, Refusal
from venturi.config.settings import AllSettings, list_setting_keys
from venturi.interfaces.api.agent_metrics import ObservedAgent
from venturi.interfaces.api.metrics import ServerMetrics

PAGE = (DOCS / "operations.md").read_text(encoding="utf-8")
FIGURE = re.compile(r"[\d.]+|true|false")


def test_the_page_has_every_key() -> None:
    assert sorted(read_table(PAGE, "Configuration")) == sorted(list_setting_keys())


@pytest.mark.parametrize("key", [key for key, cells in read_table(PAGE, "Configuration").items() if FIGURE.fullmatch(cells[0])])
def test_the_page_has_the_default(key: str) -> None:
    table, _, name = key.rpartition(".")
    settings = AllSettings(keystone=KeystoneConfig(auth_url="a", username="b", password="c"))  # noqa: S106 - of nobody
    held = getattr(settings, table) if table else settings
    assert read_table(PAGE, "Configuration")[key][0] == msgspec.json.encode(getattr(held, name)).decode()


def test_the_page_has_every_reason_to_turn_away() -> None:
    told = {reason: cells[0] for reason, cells in read_table(PAGE, "Limits").items()}
    assert told == {reason.value: str(int(STATUSES[reason])) if reason in STATUSES else "none" for reason in Refusal}


def test_the_page_has_every_metric_with_its_labels() -> None:
    metrics = ServerMetrics("0")
    metrics.count_alarm("any")
    metrics.show_open_alarms({})
    amounts = {"last_batch": 1, "reported": 1, "lag": 1, "octets": 1, "limit": 1}
    metrics.show_agents([ObservedAgent(agent_id="agent-1", host="edge-1", silent=False, missing=0, pressure="none", **amounts)])
    metrics.show_threads({"alarms": "running"}, {"alarms": 0})
    metrics.begin_request()
    metrics.end_request("GET", "/", 200, 0.1)
    counted = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name: {label for sample in metric.samples for label in sample.labels}
        - {"le"}
        for metric in metrics.registry.collect()
        if metric.name.startswith("venturi_")
    }
    told = {name: set(re.findall(r"`(\w+)`", cells[0])) for name, cells in read_table(PAGE, "Health, metrics and logs").items()}
    assert told == counted

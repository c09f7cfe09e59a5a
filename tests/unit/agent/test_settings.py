"""Settings by which no agent could meter or deliver are refused at its start, by name."""

import pytest

from venturi.config.settings import agent_config
from venturi.core.domain.errors import ConfigurationError
from venturi.services.agent.configuration import AgentSettings

REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "an agent that no ledger knows": ({"agent_id": "../x"}, "agent.agent_id"),
    "a host with a blank": ({"host": "edge 1", "agent_id": "agent-1"}, "agent.host"),
    "a host whose name is no agent's": ({"host": "_edge"}, "agent.agent_id"),
    "no duration": ({"report_interval": "7q"}, "agent.report_interval: '7q' is not a duration"),
    "no divisor of five minutes": ({"report_interval": "70s"}, "agent.report_interval: it must divide five minutes"),
    "readings rarer than reports": ({"measure_interval": "90s"}, "agent.measure_interval: it must"),
    "no address": ({"metrics": "somewhere"}, "agent.metrics"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    given, said = REFUSED[case]
    with pytest.raises(ConfigurationError, match=said):
        agent_config(AgentSettings(**given))  # type: ignore[arg-type] # texts, each of a setting that is one

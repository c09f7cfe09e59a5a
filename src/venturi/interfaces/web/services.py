"""The services that pages call, in one parcel, since most pages call several.

Owns nothing of them.
"""

from dataclasses import dataclass

from venturi.interfaces.api.turns import ServerTurns
from venturi.services.alarms.reading import AlarmReading
from venturi.services.control.explaining import Explaining
from venturi.services.control.labels import LabelControl
from venturi.services.control.points import PointControl
from venturi.services.control.revisions import RevisionControl
from venturi.services.control.rules import RuleControl
from venturi.services.control.sessions import SessionControl
from venturi.services.reports.reporting import UsageReports


@dataclass(frozen=True, kw_only=True)
class PageServices:
    """What pages read and change by; ``turns`` are the lines in which reports wait."""

    alarms: AlarmReading
    explaining: Explaining
    labels: LabelControl
    points: PointControl
    reports: UsageReports
    revisions: RevisionControl
    rules: RuleControl
    sessions: SessionControl
    turns: ServerTurns

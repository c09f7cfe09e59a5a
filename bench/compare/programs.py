"""The programs as contenders: command lines, settings, and what their output must say.

Owns the checks: a program that did not count all of its input gives no figures.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from bench.inputs.catalogue import Inputs
from bench.inputs.exports import Protocol
from bench.measure.processes import Contender, find_program

VENTURI = Path(sys.executable).parent / "venturi"


class Programs:
    """Makes contenders for the inputs of one scale; settings and outputs of peers go to a folder beside the inputs."""

    def __init__(self, inputs: Inputs) -> None:
        """Prepare the folder."""
        self._inputs = inputs
        self._totals = inputs.totals()
        self._scratch = inputs.folder / "scratch"
        self._scratch.mkdir(exist_ok=True)
        self.environment = {"VENTURI_CACHE_DIR": str(inputs.folder / "kernels")}

    def venturi(self, capture: Path, tiny: Path, rules: Path, name: str) -> Contender:
        """``venturi meter`` on a capture."""
        expected = self._totals[capture.name]
        return Contender(
            name,
            expected["records"],
            self.meter(capture, rules),
            self.meter(tiny, rules),
            self.environment,
            lambda output: _check_report(output, expected),
            reads=(capture, rules),
        )

    def meter(self, capture: Path, rules: Path) -> list[str]:
        """Give the command that meters a capture."""
        return [str(VENTURI), "meter", str(capture), "--rules", str(rules), "-f", "json", "--quiet"]

    def netflow(self, protocol: Protocol, records: int, name: str) -> Contender:
        """PyPI ``netflow`` on the first datagrams of an export: the template and ``records`` flows."""
        datagrams = 1 + records // protocol.records
        capture = self._inputs.export(protocol.name)
        command = [sys.executable, "-m", "bench.measure.netflow_decode", str(capture), str(datagrams)]
        return Contender(name, records, command, check=_expect(rf'"records": {records}\b'), reports_itself=True, reads=(capture,))

    def nfdump(self, part: str, records: int, name: str, filter_file: Path | None = None) -> list[Contender]:
        """``nfdump`` on an nfcapd file, if it is installed; it prints statistics only."""
        program = find_program("nfdump")
        if program is None or not self._inputs.collected(part).exists():
            return []
        options = ["-o", "null", *(["-f", str(filter_file)] if filter_file else [])]
        whole, tiny = ([str(program), "-r", str(self._inputs.collected(chosen)), *options] for chosen in (part, "tiny"))
        reads = (self._inputs.collected(part),)
        return [Contender(name, records, whole, tiny, check=_expect(rf"Total flows processed: {records}\b"), reads=reads)]

    def pmacctd(self, family: int, networks: int, name: str) -> list[Contender]:
        """``pmacctd`` reading a capture of packets and summing them by source and destination network, if it is installed."""
        program = find_program("pmacctd")
        if program is None:
            return []
        whole, tiny = (self._pmacct_settings(family, networks, tiny=tiny) for tiny in (False, True))
        expected = self._totals[self._inputs.packets(family).name]
        command, start_up = ([str(program), "-f", str(settings)] for settings in (whole, tiny))
        summed = whole.with_suffix(".csv")
        reads = (self._inputs.packets(family), self._inputs.networks(family, networks))
        return [
            Contender(name, expected["records"], command, start_up, check=lambda _: _check_pmacct(summed, expected["packets"]), reads=reads)
        ]

    def softflowd(self, family: int, name: str) -> list[Contender]:
        """``softflowd`` reading a capture of packets into flows, exported to nobody, if it is installed.

        It tracks as many flows as it does unasked: told to track all of those in the capture, it takes half as long again.
        """
        program = find_program("softflowd")
        if program is None:
            return []
        files = ["-p", str(self._scratch / "softflowd.pid"), "-c", "none"]
        options = ["-d", "-6", "-v", "9", *files]
        whole, tiny = ([str(program), "-r", str(self._inputs.packets(family, tiny=small)), *options] for small in (False, True))
        expected = self._totals[self._inputs.packets(family).name]
        check = _expect(rf"Packets processed: {expected['packets']}\b")
        return [Contender(name, expected["records"], whole, tiny, check=check, reads=(self._inputs.packets(family),))]

    def _pmacct_settings(self, family: int, networks: int, *, tiny: bool) -> Path:
        settings = self._scratch / f"pmacctd-v{family}{'-tiny' if tiny else ''}.conf"
        lines = {
            "daemonize": "false",
            "pcap_savefile": self._inputs.packets(family, tiny=tiny),
            "networks_file": self._inputs.networks(family, networks),
            "aggregate": "src_net, dst_net",
            "plugins": "print",
            "print_output": "csv",
            "print_output_file": settings.with_suffix(".csv"),
            "print_refresh_time": 3600,
            "plugin_pipe_size": 256 << 20,
            "plugin_buffer_size": 1 << 20,
        }
        settings.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()), encoding="utf-8")
        return settings


def _expect(pattern: str) -> Callable[[str], str]:
    return lambda output: "" if re.search(pattern, output) else f"the output says nothing like {pattern}: {output[-500:]}"


def _check_report(output: str, expected: dict[str, int]) -> str:
    """Hold the one source of a JSON report to the totals of its input."""
    sources = json.loads("{" + output[output.rindex('"sources": ') :])["sources"]
    counted = {name: sources[0][name] for name in expected}
    if counted != expected or sources[0]["skipped"]:
        return f"counted {counted}, skipped {sources[0]['skipped']}; the input holds {expected}"
    return ""


def _check_pmacct(output: Path, packets: int) -> str:
    """Hold the sum of a CSV file's column of packets to the packets of the input; its queue may have overflowed."""
    rows = output.read_text(encoding="ascii").splitlines()
    column = rows[0].split(",").index("PACKETS")
    counted = sum(int(row.split(",")[column]) for row in rows[1:])
    return "" if counted == packets else f"counted {counted} packets of {packets}"

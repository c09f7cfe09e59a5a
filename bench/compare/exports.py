"""Flow exports: venturi decoding, classifying and summing them, against decoders and readers of flows."""

from bench.compare.programs import Programs
from bench.compare.targets import Results, Target, ratio
from bench.inputs.catalogue import FILTER_PREFIXES, Inputs
from bench.inputs.exports import IPFIX, NETFLOW
from bench.measure.processes import Contender, Figures, measure
from bench.scale import LABELLED_PREFIXES

PROTOCOLS = (NETFLOW, IPFIX)

_CORE_RATE = 8e6


def compare_exports(inputs: Inputs, programs: Programs, runs: int) -> Results:
    """Measure all programs on the same flows."""
    scale = inputs.scale
    rules = inputs.rules(4, LABELLED_PREFIXES)
    ours = [
        programs.venturi(
            inputs.export(protocol.name), inputs.export(protocol.name, tiny=True), rules, f"venturi meter, {protocol.name}, 10,000 labels"
        )
        for protocol in PROTOCOLS
    ]
    decoders = [programs.netflow(protocol, scale.decoded_records, f"PyPI netflow, decode {protocol.name}") for protocol in PROTOCOLS]
    readers = _readers(inputs, programs)
    readers += programs.nfdump("filtered", scale.filtered_records, f"nfdump, OR of {FILTER_PREFIXES:,} prefixes", inputs.filter)
    figures = measure([*ours, *decoders, *readers], runs)
    return Results(figures, targets=_targets(figures))


def find_reader(figures: list[Figures], inputs: Inputs, programs: Programs, runs: int) -> Figures | None:
    """Give the figures of nfdump reading, measured now unless they are among ``figures``; None without nfdump."""
    readers = _readers(inputs, programs)
    found = [figure for figure in figures if figure.contender.name in {reader.name for reader in readers}]
    return next(iter(found or measure(readers, runs)), None)


def _readers(inputs: Inputs, programs: Programs) -> list[Contender]:
    return programs.nfdump("all", inputs.scale.flow_records, "nfdump, read only")


def _targets(figures: list[Figures]) -> list[Target]:
    ours, decoders, readers = figures[:2], figures[2:4], figures[4:]
    targets = []
    for protocol, mine, decoder in zip(PROTOCOLS, ours, decoders, strict=True):
        targets.append(Target(f"{protocol.name}: against PyPI netflow's decode alone", ratio(mine, decoder), 100))
        if readers:
            targets.append(Target(f"{protocol.name}: against nfdump's OR of {FILTER_PREFIXES:,} prefixes", ratio(mine, readers[1]), 20))
        targets.append(Target(f"{protocol.name}: records per core second", mine.cpu_rate / 1e6, _CORE_RATE / 1e6, " M"))
    return targets

"""Captures of packets, of both families: venturi against programs that read the same files."""

from bench.compare.programs import Programs
from bench.compare.targets import Results, Target, ratio
from bench.inputs.catalogue import Inputs
from bench.measure.processes import Contender, measure
from bench.scale import PREFIX_COUNTS

_NETWORKS = 10_000


def compare_captures(inputs: Inputs, programs: Programs, runs: int) -> Results:
    """Measure all programs on the captures of both families."""
    results = Results()
    for family in (4, 6):
        results.extend(_compare_family(family, inputs, programs, runs))
    return results


def _compare_family(family: int, inputs: Inputs, programs: Programs, runs: int) -> Results:
    capture, tiny = inputs.packets(family), inputs.packets(family, tiny=True)
    ours = {
        count: programs.venturi(capture, tiny, inputs.rules(family, count), f"venturi meter, IPv{family} packets, {count:,} labels")
        for count in PREFIX_COUNTS
    }
    pmacctd = programs.pmacctd(family, _NETWORKS, f"pmacctd, IPv{family} packets, {_NETWORKS:,} networks")
    softflowd = programs.softflowd(family, f"softflowd, IPv{family} packets")
    contenders: list[Contender] = [*ours.values(), *pmacctd, *softflowd]
    figures = dict(zip((contender.name for contender in contenders), measure(contenders, runs), strict=True))
    fewest, middle, most = (figures[contender.name] for contender in ours.values())
    targets = [Target(f"IPv{family} packets: against pmacctd", ratio(middle, figures[peer.name]), 8) for peer in pmacctd]
    targets += [Target(f"IPv{family} packets: against softflowd", ratio(middle, figures[peer.name]), 1.5) for peer in softflowd]
    targets.append(Target(f"IPv{family} packets: 100,000 labels against 1,000", ratio(most, fewest), 0.4))
    return Results(list(figures.values()), targets=targets)

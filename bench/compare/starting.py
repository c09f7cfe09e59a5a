"""Starting up: help, a small capture with compiled code in the cache, and the first compilation."""

import tempfile

from bench.compare.programs import VENTURI, Programs
from bench.compare.targets import Results, Target
from bench.inputs.catalogue import Inputs
from bench.measure.processes import Contender, Run, measure, run_program
from bench.scale import FEW_PREFIXES


def compare_starting(inputs: Inputs, programs: Programs, runs: int) -> Results:
    """Measure how long the short commands take, from their start to their end."""
    tiny, rules = inputs.packets(4, tiny=True), inputs.rules(4, FEW_PREFIXES)
    meter = programs.meter(tiny, rules)
    run_program(meter, programs.environment)
    help_command = Contender("venturi --help", 0, [str(VENTURI), "--help"], environment=programs.environment)
    small = Contender("venturi meter, 1,000 packets, compiled code cached", 0, meter, environment=programs.environment)
    figures = measure([help_command, small], runs)
    first = _compile_first(inputs, programs, meter)
    targets = [
        Target("venturi --help", figures[0].wall, 0.3, " s", at_most=True),
        Target("1,000 packets with compiled code cached", figures[1].wall, 1.5, " s", at_most=True),
        Target("the first compilation of all kernels", first.wall - figures[1].wall, 20, " s", at_most=True),
    ]
    remark = f"The first compilation took {first.cpu - figures[1].cpu:.1f} s of processor time, once, not as a median."
    return Results(figures, targets=targets, remarks=[remark])


def _compile_first(inputs: Inputs, programs: Programs, meter: list[str]) -> Run:
    """Meter every kind of input at once with an empty cache."""
    files = [str(inputs.tiny_pcapng), *(str(inputs.export(protocol, tiny=True)) for protocol in ("netflow-v9", "ipfix"))]
    with tempfile.TemporaryDirectory() as cache:
        return run_program([*meter, *files], {**programs.environment, "VENTURI_CACHE_DIR": cache})

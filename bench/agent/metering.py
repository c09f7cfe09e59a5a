"""Running ``venturi agent``, with files and a BPF file system of the benchmark's own.

Owns command and environment. What the agent leaves in the kernel goes with the router's namespaces and with that file system.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.agent.plans import HOST
from bench.compare.programs import VENTURI
from bench.measure.running import RunningProcess, running_program, wait_for_line


@contextmanager
def running_agent(folder: Path, driver: str, port: int) -> Iterator[RunningProcess]:
    """Run an agent by the ``plan.json`` in a folder, delivering to the server at a port of this machine, until the end of the block."""
    pins = folder / "pins"
    pins.mkdir()
    followed = ["--plan", str(folder / "plan.json"), "--host", HOST, "--server", f"http://127.0.0.1:{port}"]
    kept = ["--spool", str(folder / "spool.db"), "--log-form", "json"]
    command = [str(VENTURI), "agent", *followed, *kept, "--driver", driver]
    environment = {"VENTURI_AGENT_BPFFS": str(pins), "VENTURI_AGENT_MOUNT_BPFFS": "true"}
    try:
        with running_program(command, folder / "agent.log", environment) as (process, log):
            wait_for_line(process, log, '"event":"metering"')
            yield RunningProcess(process.pid)
    finally:
        if os.path.ismount(pins):
            subprocess.run(["umount", str(pins)], check=True)

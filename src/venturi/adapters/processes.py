"""Processes of this host, told from others that had their number before.

Owns what tells them apart. Starting and ending processes is for whoever needs them.
"""

from pathlib import Path

from venturi.adapters.host_clocks import boot_id

_START_TIME = 19
"""The place of the start time among the fields of proc_pid_stat(5) that follow the name."""


def tell_process(process: int) -> str:
    """Give what no other process ever has: the boot and the time of its start; "" where there is no process of that number."""
    try:
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return f"{boot_id()} {fields[_START_TIME].decode('ascii')}"

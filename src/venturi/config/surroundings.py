"""What the environment alone says: where the server is, who asks, and where files lie.

Owns the names of these variables. Loads no settings of server and agent, which most commands do without.
"""

import os
import socket
from pathlib import Path

from venturi.adapters.client.config import DEFAULT_URL, ConnectionConfig, ServerChoice
from venturi.adapters.kernel_cache_config import KernelCacheConfig

CACHE_SETTING = "VENTURI_CACHE_DIR"
"""The variable that names the folder of compiled kernels; without it, ``venturi`` in the user's cache folder."""

CONFIG_SETTING = "VENTURI_CONFIG"
"""The variable that names the server's configuration file."""

DATABASE_SETTING = "VENTURI_DATABASE"
"""The variable that names the database; without it, SQLite in the user's data folder."""

URL_SETTING = "VENTURI_URL"
"""The variable that names the server that commands ask; without it, the one on this machine."""

TOKEN_SETTING = "VENTURI_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that holds the token by which commands prove who the caller is."""

CA_FILE_SETTING = "VENTURI_CA_FILE"
"""The variable that names the file with the authority that signed the server's certificate."""

SPOOL_SETTING = "VENTURI_AGENT_SPOOL"
"""The variable that names the spool of an agent; without it, one in the user's data folder."""

INSECURE_TOKEN_SETTING = "VENTURI_INSECURE_TOKEN"  # noqa: S105 - the name of a variable
"""The variable that, set to 1, lets commands send the token over plain HTTP to another host."""

STATE_SETTING = "STATE_DIRECTORY"
"""The variable by which systemd names the folders that a unit keeps its state in, separated by colons (systemd.exec(5))."""


def spare_threads() -> None:
    """Keep numpy's linear algebra, which nothing here uses, from starting threads that do nothing but take processor time.

    Takes effect only before numpy is imported.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def kernel_cache_config() -> KernelCacheConfig:
    """Where compiled kernels are kept."""
    chosen = os.environ.get(CACHE_SETTING)
    if chosen:
        return KernelCacheConfig(Path(chosen))
    user_cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return KernelCacheConfig(Path(user_cache) / "venturi")


def connection_config(choice: ServerChoice) -> ConnectionConfig:
    """How commands reach their server: as the command line says, else as the environment does."""
    return ConnectionConfig(
        url=choice.url or os.environ.get(URL_SETTING) or DEFAULT_URL,
        token=os.environ.get(TOKEN_SETTING) or None,
        ca_file=choice.ca_file or os.environ.get(CA_FILE_SETTING) or None,
        insecure_token=choice.insecure_token or os.environ.get(INSECURE_TOKEN_SETTING) == "1",
    )


def config_file(path: str | None) -> str | None:
    """Name the configuration file: the one given or that of the environment, None where there is none."""
    return path or os.environ.get(CONFIG_SETTING) or None


def agent_spool(given: Path | None = None) -> Path:
    """Name the file of an agent's spool: the one given, that of the environment, or one in the user's data folder."""
    named = given or os.environ.get(SPOOL_SETTING)
    return Path(named) if named else (state_folder() or user_files() / "venturi" / "agent") / "spool.db"


def service_manager() -> str | None:
    """Give the address of the service manager's socket, None where none started this process (sd_notify(3))."""
    return os.environ.get("NOTIFY_SOCKET")


def host_name() -> str:
    """Give the name of this host."""
    return socket.gethostname().lower()


def wants_colours() -> bool:
    """Tell whether terminals may be written to in colours: ``NO_COLOR`` is not set, or empty (no-color.org)."""
    return not os.environ.get("NO_COLOR")


def user_files() -> Path:
    """Give the folder in which programs keep what is a user's own."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def state_folder() -> Path | None:
    """Give the folder in which systemd has a unit keep its state, None outside of a unit that has one."""
    first = os.environ.get(STATE_SETTING, "").partition(":")[0]
    return Path(first) if first else None

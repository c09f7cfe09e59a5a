"""Makes and serves a Keystone: ``serve_keystone.py FOLDER PASSWORD``; prints its URL when it answers, ends with its parent's pipe.

Runs in the environment of the OpenStack programs. Owns the SQLite database, the keys and the first administrator, ``admin``; services,
users and projects are made by clients.
"""

import grp
import os
import pwd
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

import waitress
from keystone.cmd import cli

_SETTINGS = """\
[DEFAULT]
log_file = {folder}/keystone.log
[database]
connection = sqlite:///{folder}/keystone.sqlite
[fernet_tokens]
key_repository = {folder}/fernet
[fernet_receipts]
key_repository = {folder}/receipts
[credential]
key_repository = {folder}/credentials
[identity]
password_hash_rounds = 4
[cache]
enabled = true
backend = dogpile.cache.memory
"""


def main() -> None:
    """Set Keystone up and serve it on a free loopback port."""
    folder, password = Path(sys.argv[1]), sys.argv[2]
    settings = folder / "keystone.conf"
    settings.write_text(_SETTINGS.format(folder=folder), encoding="utf-8")
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v3"
    _manage(settings, "db_sync")
    _manage(
        settings,
        "fernet_setup",
        "--keystone-user",
        pwd.getpwuid(os.getuid()).pw_name,
        "--keystone-group",
        grp.getgrgid(os.getgid()).gr_name,
    )
    administrator = ["--bootstrap-password", password]
    endpoints = ["--bootstrap-region-id", "RegionOne", "--bootstrap-public-url", url, "--bootstrap-internal-url", url]
    _manage(settings, "bootstrap", *administrator, *endpoints)
    os.environ["OS_KEYSTONE_CONFIG_FILES"] = str(settings)
    sys.argv = sys.argv[:1]
    from keystone.wsgi.api import application  # noqa: PLC0415 - importing it reads the settings and opens the database

    server = waitress.create_server(application, sockets=[listening])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(url, flush=True)  # noqa: T201 - the parent waits for it
    server.run()


def _manage(settings: Path, *arguments: str) -> None:
    """Run a command of ``keystone-manage`` in a child, for its settings are global; importing all of it again would take longer."""
    child = os.fork()
    if child == 0:
        _manage_here(["keystone-manage", "--config-file", str(settings), *arguments])
    _, status = os.waitpid(child, 0)
    if status:
        sys.exit(f"keystone-manage {arguments[0]} failed")


def _manage_here(argv: list[str]) -> NoReturn:
    code = 1
    try:
        cli.main(argv=argv)
        code = 0
    except SystemExit as ended:
        code = int(bool(ended.code))
    finally:
        os._exit(code)


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()

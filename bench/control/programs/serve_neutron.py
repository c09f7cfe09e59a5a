"""Serves a real Neutron on SQLite: ``serve_neutron.py FOLDER``; prints its URL when it answers.

Runs in the environment of ``bench/control/requirements.lock``, so nothing of venturi is imported here. No Keystone, no drivers, no
queue: what is left is its API with the metering extension.
"""

import socket
import sys
from pathlib import Path

import sqlalchemy
import waitress
from neutron.db.migration.models import head

_SETTINGS = """\
[DEFAULT]
core_plugin = ml2
service_plugins = router,metering
auth_strategy = noauth
api_paste_config = {paste}
state_path = {folder}
transport_url = fake://
log_file = {folder}/neutron.log
[database]
connection = {database}
[oslo_concurrency]
lock_path = {folder}
[ml2]
type_drivers =
tenant_network_types =
mechanism_drivers =
[oslo_messaging_notifications]
driver = noop
"""


def main() -> None:
    """Make the database, load Neutron and serve it on a free loopback port."""
    folder = Path(sys.argv[1])
    database = f"sqlite:///{folder / 'neutron.sqlite'}"
    settings = folder / "neutron.conf"
    paste = Path(sys.prefix) / "etc" / "neutron" / "api-paste.ini"
    settings.write_text(_SETTINGS.format(paste=paste, folder=folder, database=database), encoding="utf-8")
    _make_tables(database)
    sys.argv = ["neutron-api", "--config-file", str(settings)]
    from neutron.wsgi.api import application  # noqa: PLC0415 - importing it reads the settings and loads every plugin

    listening = socket.create_server(("127.0.0.1", 0))
    server = waitress.create_server(application, sockets=[listening])
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    server.run()


def _make_tables(database: str) -> None:
    """Make the tables from the models: Neutron's migrations do not run on SQLite."""
    engine = sqlalchemy.create_engine(database)
    head.get_metadata().create_all(engine)
    engine.dispose()


if __name__ == "__main__":
    main()

"""``venturi serve``: the API server.

Owns the options. What is built of them is the composition's affair.
"""

from typing import Any

import rich_click as click

from venturi.composition import server

_OPTION_KEYS = {
    "listen": "listen",
    "database": "database",
    "auth": "auth",
    "insecure_listen": "insecure_listen",
    "tls_certificate": "tls.certificate",
    "tls_key": "tls.key",
    "tls_client_authority": "tls.client_authority",
    "log_form": "logs.form",
}


@click.command()
@click.option("--config", "config_path", type=click.Path(dir_okay=False), help="Configuration file (TOML).")
@click.option("--listen", metavar="HOST:PORT", help="Where to listen; 127.0.0.1:9696 by default, port 0 takes a free one.")
@click.option("--database", metavar="URL", help="The database; SQLite in the user's data folder by default.")
@click.option("--auth", type=click.Choice(["none", "token", "keystone"]), help="How callers prove who they are; none by default.")
@click.option("--insecure-listen", is_flag=True, default=None, help="Let others reach a server without authentication.")
@click.option("--tls-certificate", type=click.Path(dir_okay=False), help="Certificate, with its chain (PEM).")
@click.option("--tls-key", type=click.Path(dir_okay=False), help="Key of the certificate (PEM).")
@click.option(
    "--tls-client-authority", type=click.Path(dir_okay=False), help="Let in only clients with a certificate of this authority (PEM)."
)
@click.option(
    "--log-form", type=click.Choice(["auto", "json", "text"]), help="Form of the log; auto is text on a terminal, JSON elsewhere."
)
def serve(config_path: str | None, **options: Any) -> int:  # noqa: ANN401 - click hands over the options by name
    """Serve the API: OpenStack Networking's metering extension under /v2.0, and venturi's own under /v1.

    Needs no configuration: it then listens on a loopback address and keeps its state in SQLite. Ctrl-C or SIGTERM ends it
    after the requests that are being answered.
    """
    given = {_OPTION_KEYS[name]: choice for name, choice in options.items() if choice is not None}
    return server.serve(config_path, given)

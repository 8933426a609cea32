"""Start a server, and say what it is and where."""

import typer

from trackstore.artifacts import PROXIED_ROOT
from trackstore.cli.secrets import without_secrets
from trackstore.errors import InvalidRequest
from trackstore.server.guard import check_allowed_hosts, is_loopback
from trackstore.server.serve import claim_port, open_stores, serve
from trackstore.server.settings import Settings, check_static_prefix


def settings(*, static_prefix: str, allowed_hosts: str, **others: object) -> Settings:
    """Return checked settings; `InvalidRequest` names the option that is wrong."""
    return Settings(
        static_prefix=check_static_prefix(static_prefix),
        allowed_hosts=check_allowed_hosts(allowed_hosts),
        **others,  # type: ignore[arg-type]  # typer has checked their types
    )


def run(chosen: Settings) -> None:
    """Serve until told to stop.

    The stores are opened once before the workers start, so that what is wrong with them is said
    once, and here.
    """
    listener = claim_port(chosen.host, chosen.port)
    with open_stores(chosen) as tracker:
        root = tracker.artifacts.location("<experiment id>")
        for place in (PROXIED_ROOT, root):
            tracker.artifacts.at(place)
        if tracker.store.ephemeral and chosen.workers > 1:
            raise InvalidRequest(
                "this backend store lives in one process, and each worker would have its own: "
                "use --workers 1"
            )
    for line in _greeting(chosen, listener.getsockname()[1], root):
        typer.echo(line)
    if not is_loopback(chosen.host):
        typer.echo(_warning(chosen), err=True)
    serve(chosen, listener)


def _greeting(chosen: Settings, port: int, root: str) -> list[str]:
    host = "localhost" if chosen.host in {"", "0.0.0.0", "::"} else chosen.host  # noqa: S104
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}{chosen.static_prefix}"
    return [
        f"trackstore listens on {url}",
        f"  experiments and runs   {without_secrets(chosen.backend)}",
        f"  artifacts              {without_secrets(chosen.artifacts)}",
        f"  new experiments' files {without_secrets(root)}",
        f'  in Python              mlflow.set_tracking_uri("{url}")',
    ]


def _warning(chosen: Settings) -> str:
    names = "" if chosen.allowed_hosts else "  --allowed-hosts says by which names to call it.\n"
    return (
        f"warning: listening on {chosen.host or 'all addresses'}, and there are no users yet: "
        "whoever reaches this\n  port may read, change and delete everything. Put a proxy with TLS "
        f"and a login before it.\n{names}"
    ).rstrip()

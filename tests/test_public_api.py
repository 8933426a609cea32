"""What `import trackstore` gives is what it says it gives, and comes quickly."""

import subprocess
import sys

import trackstore


def test_all_is_exact() -> None:
    """`__all__` names every public name of the package, once."""
    assert len(set(trackstore.__all__)) == len(trackstore.__all__)
    modules = {name.split(".")[1] for name in sys.modules if name.startswith("trackstore.")}
    public = {name for name in vars(trackstore) if name.isidentifier() and name[0] != "_"} - modules
    assert public == set(trackstore.__all__)


def test_importing_loads_no_driver() -> None:
    """A user of one store pays for no other: SQLAlchemy and the server come only when used."""
    code = "import sys, trackstore; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert "trackstore" in loaded
    assert not {"sqlalchemy", "alembic", "falcon", "granian", "typer", "rich"} & set(loaded)

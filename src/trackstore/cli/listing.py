"""List the installed stores."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points

from rich.console import Console
from rich.text import Text

from trackstore.abilities import OPTIONAL_ABILITIES
from trackstore.errors import Unsupported
from trackstore.registry import ARTIFACT_STORES, BACKEND_STORES, load_store
from trackstore.stores import ArtifactStore, BackendStore, Store

KINDS: tuple[tuple[str, str, type[Store], tuple[str, ...]], ...] = (
    ("Backend stores", BACKEND_STORES, BackendStore, ("durability", "tag_reads", "listing")),
    (
        "Artifact stores",
        ARTIFACT_STORES,
        ArtifactStore,
        ("durability", "listing", "artifact_overwrite", "create_only"),
    ),
)


def print_stores() -> None:
    console = Console(highlight=False)
    for title, group, kind, grades in KINDS:
        console.print(Text(title, style="bold"))
        for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
            console.print(Text(f"  {entry.name}:", style="cyan"))
            for line in _description(entry, kind, grades):
                console.print(Text(f"      {line}"), soft_wrap=True)
        console.print()


def _description(entry: EntryPoint, kind: type[Store], grades: tuple[str, ...]) -> Iterator[str]:
    try:
        found = load_store(entry, kind)
    except Unsupported as error:
        yield str(error).removeprefix(f"{entry.name}: ")
        return
    contract = ".".join(map(str, found.contract))
    yield f"{found.__module__}.{found.__name__}, contract {contract}"
    claims = [f"{grade.replace('_', ' ')} {getattr(found.guarantees, grade)}" for grade in grades]
    yield ", ".join(claims) + ("; nothing outlives the process" if found.ephemeral else "")
    abilities = [able.__name__ for able in OPTIONAL_ABILITIES if issubclass(found, able)]
    if abilities:
        yield f"optional abilities: {', '.join(abilities)}"

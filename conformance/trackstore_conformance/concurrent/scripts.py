"""Write a program of several clients as a script that needs the store, and nothing of the suite."""

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType, ModuleType
from typing import Any

from trackstore_conformance.concurrent.program import Program, Step
from trackstore_conformance.concurrent.recording import OPERATIONS
from trackstore_conformance.namespaces import InNamespace

Imports = set[tuple[str, str]]
"""Modules, and what is taken from each; "" for the module itself."""

TEMPLATE = '''"""{title}

Give it the URL of a store that may be written to; it says how often each outcome came.
"""

{imports}

{functions}

KINDS = {kinds}
BEFORE = {before}
CLIENTS = [  # for each client, what it does in each round
{clients},
]
AFTER = {after}


def play(store, rounds, ids, meet=list):
    told = []
    for steps in rounds:
        meet()
        for function, given in steps:
            known = {{k: ids.get(v, v) if isinstance(v, str) else v for k, v in given.items()}}
            try:
                told.append(function(store, **known))
            except TrackstoreError as error:
                told.append(type(error).__name__)
    return told


def attempt(stores, pool):
    fresh = {{"run": lambda: uuid4().hex, "experiment": lambda: str(uuid4().int % 2**62)}}
    ids = {{s: fresh.get(kind, lambda: "x" + uuid4().hex)() for s, kind in KINDS.items()}}
    play(stores[0], [BEFORE], ids)
    meet = Barrier(len(CLIENTS)).wait
    jobs = [pool.submit(play, stores[n % 2], each, ids, meet) for n, each in enumerate(CLIENTS)]
    shown = str([*(job.result() for job in jobs), play(stores[0], [AFTER], ids)])
    for symbol, ident in ids.items():
        shown = shown.replace(ident, symbol)
    return shown


outcomes, url, end = Counter(), sys.argv[1], monotonic() + 5
with {opener}(url) as one, {opener}(url) as other, ThreadPoolExecutor(8) as pool:
    while monotonic() < end:
        outcomes[attempt([one, other], pool)] += 1
for outcome, times in outcomes.most_common():
    print(times, "times", outcome)
'''
PLAIN = (
    "import sys",
    "from collections import Counter",
    "from concurrent.futures import ThreadPoolExecutor",
    "from threading import Barrier",
    "from time import monotonic",
    "from uuid import uuid4",
)
"""What the template itself imports."""


def script_for(program: Program, opener: Callable[..., Any], title: str) -> str:
    """Return the script; `title` is its first line."""
    named, where = named_opener(opener)
    sources: dict[str, str] = {}
    taken: Imports = {("trackstore.errors", "TrackstoreError"), where}
    for name in dict.fromkeys(step.operation for step in program.steps):
        collect(OPERATIONS[name], sources, taken)
    return TEMPLATE.format(
        title=title.replace("\\", "/").replace('"', "'"),
        imports="\n".join([*PLAIN, "", *import_lines(taken)]),
        functions="\n\n".join(sources.values()),
        kinds=dict(program.symbols),
        before=steps_in(program.before),
        clients=",\n".join(by_client(program)),
        after=steps_in(program.after),
        opener=named,
    )


def import_lines(taken: Imports) -> Iterator[str]:
    for module in sorted({module for module, _ in taken}):
        names = sorted(name for where, name in taken if where == module)
        yield f"from {module} import {', '.join(names)}" if all(names) else f"import {module}"


def by_client(program: Program) -> list[str]:
    """Return what each client that does something does, as text."""
    clients = [
        [suffixes[client] if client < len(suffixes) else () for suffixes in program.rounds]
        for client in range(program.clients)
    ]
    return [
        f"    [{', '.join(steps_in(steps) for steps in rounds)}]"
        for rounds in clients
        if any(rounds)
    ]


def steps_in(steps: Iterable[Step]) -> str:
    return f"[{', '.join(f'({step.operation}, {step.arguments})' for step in steps)}]"


def named_opener(opener: Callable[..., Any]) -> tuple[str, tuple[str, str]]:
    """Return how a script names the function that opens the store, and how it imports it."""
    if isinstance(opener, InNamespace):
        return named_opener(opener.opener)
    owner = getattr(opener, "__self__", None)
    if isinstance(owner, type):
        return f"{owner.__name__}.{opener.__name__}", (owner.__module__, owner.__name__)
    return opener.__name__, (opener.__module__, opener.__name__)


def collect(function: FunctionType, sources: dict[str, str], taken: Imports) -> None:
    """Add the source of a function of the suite, and what it uses: functions and imports."""
    tree = ast.parse(inspect.getsource(function))
    plain(tree)
    known = function.__globals__
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & known.keys()
    for name in sorted(names - sources.keys() - {function.__name__}):
        value = known[name]
        if isinstance(value, FunctionType) and value.__module__ == function.__module__:
            collect(value, sources, taken)
        elif isinstance(value, ModuleType):
            taken.add((value.__name__, ""))
        elif isinstance(value, int):
            sources[name] = f"{name} = {value}"
        else:
            taken.add((value.__module__, value.__name__))
    sources[function.__name__] = ast.unparse(tree)


def plain(tree: ast.Module) -> None:
    """Take annotations and docstrings away."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            node.returns = None
            for each in [*node.args.args, *node.args.kwonlyargs]:
                each.annotation = None
            if ast.get_docstring(node) is not None:
                del node.body[0]

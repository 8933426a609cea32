"""Play a fault script on the calls of a store, and read what is true past the proxy."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from copy import deepcopy
from functools import partial
from queue import Empty, SimpleQueue
from random import Random
from threading import Lock, Thread
from time import monotonic
from typing import Any

from trackstore.errors import Unavailable
from trackstore.stores import Store
from trackstore_conformance.bench import Bench
from trackstore_conformance.effort import Profile
from trackstore_conformance.faults.judge import Scene
from trackstore_conformance.faults.kinds import Case, Kind, Operation, State, Step
from trackstore_conformance.faults.proxy import Address, Fault, Proxy
from trackstore_conformance.faults.scripts import SCRIPTS, Script
from trackstore_conformance.outcomes import Outcome, outcome
from trackstore_conformance.skips import not_applicable, not_exercised
from trackstore_conformance.violations import OutOfTime

PLAYERS = 8
"""Operations that are played on at once: most of their time they wait."""
TRIES = 3
"""The calls after which a handle must have found back (B-ERR-04)."""
BUSY = 0.5
"""Seconds after which a call that may only succeed is not blamed for its timeout."""
RESET_SECONDS = 5.0
"""How long a call that hangs has to end once its connections are reset."""


def play_script(
    bench: Bench[Any], kind: Kind[Any, Any], name: str, *, noticed: bool = False
) -> None:
    """Play the script on every operation, or on some of each class if it makes them wait.

    With `noticed`, what was damaged on its way must not be taken for what was sent.
    """
    script = SCRIPTS[name]
    upstream = bench.harness.upstream(bench.url)
    if upstream is None:
        not_applicable("no network between the store and its data")
    claimed = kind.operations(bench)
    operations = chosen(claimed, script, bench.profile, Random(f"{bench.seed}-{name}"))
    end = monotonic() + bench.profile.seconds_per_test
    stage = Stage(bench, kind, script, upstream, noticed, end)
    with ThreadPoolExecutor(PLAYERS) as pool:
        plays = [pool.submit(stage.play, operation) for operation in operations]
        try:
            wait(plays)
        except BaseException:  # a Ctrl-C, or the end of the time
            stage.end = 0
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    bench.evidence.faults += stage.struck
    bench.evidence.operations += len(operations)
    errors = [error for play in plays if (error := play.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, OutOfTime)):
        raise error
    if not stage.struck and stage.heard and script.after:
        not_applicable(f"no {script.side} of the store is longer than {script.after:,} bytes")
    if not stage.struck:
        not_exercised("no call of the store passes through the host and port of its URL")


def chosen(
    claimed: Sequence[Operation], script: Script, profile: Profile, random: Random
) -> Sequence[Operation]:
    """Return the operations; where calls wait, a few, among them one of each class."""
    fit = [each for each in claimed if each.idempotency in script.classes]
    if script.overtaken:
        fit = [each for each in fit if each.rival]
    if profile.name == "quick" and not script.moves_much:
        fit = [each for each in fit if not each.is_large]
    if not script.waits:
        return fit
    random.shuffle(fit)
    firsts = [*{each.idempotency: each for each in fit}.values()]
    rest = [each for each in fit if each not in firsts]
    return [*firsts, *rest][: max(profile.histories, len(firsts))]


class Stage:
    """Where one script is played; operations may be played on in many threads at once."""

    def __init__(
        self,
        bench: Bench[Any],
        kind: Kind[Any, Any],
        script: Script,
        upstream: Address,
        noticed: bool,
        end: float,
    ) -> None:
        self.bench = bench
        self.kind = kind
        self.script = script
        self.upstream = upstream
        self.noticed = noticed
        self.end = end
        self.patience = bench.harness.patience
        self.store = bench.store
        self.beacon = kind.beacon(bench)
        """Reads what no script touches, and so shows whether a handle works."""
        self.shining = self.insist(self.store, self.beacon).value
        self.struck = self.heard = 0
        self.counting = Lock()

    def play(self, operation: Operation) -> None:
        """Strike the call; where it is damaged, each time elsewhere, while there is time."""
        random = Random(f"{self.bench.seed}-{self.script.name}-{operation.name}")
        times = max(1, self.bench.profile.histories // 4) if self.script.damages else 1
        for _ in self.bench.in_time(range(times), least=1):
            self.strike_each(operation, random)

    def strike_each(self, operation: Operation, random: Random) -> None:
        """Strike the first exchange of the call, then the second..., until it has no more.

        Of a call of many exchanges, those after the first few are struck while there is time.
        """
        exchanges = self.bench.profile.crash_points if self.script.repeats else 1
        for exchange in self.bench.in_time(range(1, exchanges + 1)):
            if monotonic() > self.end:
                raise OutOfTime(f"script {self.script.name} on {operation.name}: no time left")
            if not self.strike(operation, exchange, self.script.fault(exchange, random)):
                return

    def strike(self, operation: Operation, exchange: int, fault: Fault) -> bool:
        """Let a fault strike, and tell whether the call had such an exchange."""
        case = self.kind.new_case(self.bench)
        with Proxy(self.upstream) as proxy:
            handle = self.bench.opener(self.bench.harness.proxied(self.bench.url, proxy.port))
            try:
                scene = self.prepared(handle, operation, exchange, case)
                self.act(scene, proxy, handle, fault)
                self.ended(scene, proxy, handle.close)
            except BaseException:
                release(handle)
                raise
            with self.counting:
                self.struck += proxy.fired
                self.heard += proxy.exchanges
            return proxy.fired

    def act(self, scene: Scene, proxy: Proxy, handle: Store, fault: Fault) -> None:
        """Make the call, let the fault strike it, and judge what comes of it."""
        late = self.late(scene.operation, scene.case)
        proxy.arm(fault, partial(self.insist, self.store, late[0]) if late else None)
        begin = monotonic()
        found = self.ended(scene, proxy, partial(self.kind.on_store, handle, scene.step))
        may_fail = proxy.fired and self.script.legal != ("done",)
        if not may_fail and is_unavailable(found) and monotonic() - begin > BUSY:
            raise OutOfTime(f"script {self.script.name}: this machine is slower than its network")
        if not proxy.settle(self.patience):
            raise OutOfTime(f"script {self.script.name}: the server does not end a connection")
        if self.script.overtaken and not proxy.fired:
            return
        state = self.state(scene.case)
        if not self.script.damages:
            scene.check_ending(found, state, struck=proxy.fired)
        if self.noticed:
            scene.check_noticed(found, state)
        if proxy.fired:
            proxy.heal()
            self.check_recovered(scene, proxy, handle)
        if proxy.fired and not self.script.damages and not self.script.overtaken:
            self.check_repeated(scene, proxy, handle, done=state == scene.after)

    def prepared(self, handle: Store, operation: Operation, exchange: int, case: Case) -> Scene:
        """Do what comes before the call, by way of the proxy, so that its connections are open."""
        model, on_model = self.kind.model(self.bench), self.kind.on_model
        for step in (*case.setup, *operation.prepare(case)):
            found, expected = self.insist(handle, step), on_model(model, step)
            assert found.ways == expected.ways, f"by way of the proxy {step[0]} {found}"
        step, late = operation.call(case), self.late(operation, case)
        before = self.state_after(model, late, case)
        first = on_model(model, step)
        after = self.state_after(model, late, case)
        second = on_model(model, step)
        rules = self.kind.rules
        return Scene(
            self.script, rules, operation, exchange, case, step, first, second, before, after
        )

    def late(self, operation: Operation, case: Case) -> list[Step]:
        """Return what another one does before the client knows."""
        return [operation.rival(case)] if operation.rival and self.script.overtaken else []

    def state_after(self, model: Any, steps: Sequence[Step], case: Case) -> State:
        """Return what there would be to see; the model stays as it is."""
        model = deepcopy(model)
        for step in steps:
            self.kind.on_model(model, step)
        return case.look(partial(self.kind.on_model, model))

    def state(self, case: Case) -> State:
        return case.look(partial(self.insist, self.store))

    def insist(self, store: Store, step: Step) -> Outcome:
        """Make a call that no fault strikes, and again if the machine was too busy for it."""
        for _ in range(TRIES):
            found = outcome(self.kind.on_store, store, step)
            if not is_unavailable(found):
                break
        return found

    def check_recovered(self, scene: Scene, proxy: Proxy, handle: Store) -> None:
        call = partial(self.kind.on_store, handle, self.beacon)
        found, _ = self.patiently(scene, proxy, call)
        rule = self.kind.rules.reply
        if found.ways != ("ok",):
            raise scene.broken(f"when all was well the handle still raised {found.ways[0]}", rule)
        if found.value != self.shining:
            raise scene.broken(f"the next call was answered with {found.value}", rule)

    def check_repeated(self, scene: Scene, proxy: Proxy, handle: Store, *, done: bool) -> None:
        call = partial(self.kind.on_store, handle, scene.step)
        found, tries = self.patiently(scene, proxy, call)
        only_reads = scene.before == scene.after
        state = scene.after if only_reads else self.state(scene.case)
        scene.check_repeated(found, state, done=done, tries=tries)

    def patiently(self, scene: Scene, proxy: Proxy, call: Callable[[], Any]) -> tuple[Outcome, int]:
        """Make a call until the handle has found back; return how it came out, and the tries."""
        rule = self.kind.rules.reply
        tries, found = 1, self.ended(scene, proxy, call, rule)
        while is_unavailable(found) and tries < TRIES:
            tries, found = tries + 1, self.ended(scene, proxy, call, rule)
        return found, tries

    def ended(self, scene: Scene, proxy: Proxy, call: Callable[[], Any], *rules: str) -> Outcome:
        """Make a call, which must end, and with nothing but an error of the contract.

        What else it raises breaks `rules` too.
        """
        ends: SimpleQueue[Outcome | BaseException] = SimpleQueue()
        thread = Thread(target=lambda: ends.put(tried(call)), daemon=True)
        thread.start()
        try:
            found = ends.get(timeout=self.patience)
        except Empty:
            proxy.heal()
            proxy.reset()
            thread.join(RESET_SECONDS)
            what = f"the call did not end within {self.patience:g} seconds"
            raise scene.broken(what, self.kind.rules.end) from None
        thread.join()
        if isinstance(found, BaseException):
            what = f"the call raised {found!r}"
            raise scene.broken(what, self.kind.rules.error, *rules, cause=found)
        return found


def tried(call: Callable[[], Any]) -> Outcome | BaseException:
    """Return how a call came out, also if by what would end the thread in silence."""
    try:
        return outcome(call)
    except BaseException as error:
        return error


def release(handle: Store) -> None:
    """Close a handle that may hang, and wait no longer than it is worth."""
    thread = Thread(target=tried, args=(handle.close,), daemon=True)
    thread.start()
    thread.join(RESET_SECONDS)


def is_unavailable(found: Outcome) -> bool:
    return found.ways[0].startswith(Unavailable.__name__)

"""Group commit: who shares a transaction, and what becomes of each when something fails."""

import threading
from collections.abc import Callable, Sequence

import pytest

from trackstore.errors import BackendError, Conflict
from trackstore_backends import group
from trackstore_backends.group import GroupCommit


class Committer:
    """Commits groups of numbers: doubles them, and stops for the first of them."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.first_is_under_way = threading.Event()
        self.may_go_on = threading.Event()
        self.failure: BaseException | None = None

    def __call__(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.groups.append(list(numbers))
        if len(self.groups) == 1:
            self.first_is_under_way.set()
            assert self.may_go_on.wait(10)
        elif self.failure is not None:
            raise self.failure
        return [Conflict("odd") if number % 2 else number * 2 for number in numbers]


class Caller(threading.Thread):
    def __init__(self, group: GroupCommit[int, int], number: int) -> None:
        super().__init__(daemon=True)
        self.group, self.number = group, number
        self.outcome: int | BaseException | None = None

    def run(self) -> None:
        try:
            self.outcome = self.group.submit(self.number)
        except BaseException as error:
            self.outcome = error


def queued(group: GroupCommit[int, int], numbers: Sequence[int]) -> list[Caller]:
    """Start callers in this order, each once the one before it waits in the queue."""
    callers = []
    for number in numbers:
        callers.append(Caller(group, number))
        waiting = len(group._queue)
        callers[-1].start()
        while len(group._queue) == waiting:
            pass
    return callers


def run_behind(commit: Committer, numbers: Sequence[int]) -> list[Caller]:
    """Let callers queue behind a first one, and return them when all have ended."""
    group: GroupCommit[int, int] = GroupCommit(commit)
    first = Caller(group, 0)
    first.start()
    assert commit.first_is_under_way.wait(10)
    callers = queued(group, numbers)
    commit.may_go_on.set()
    for caller in [first, *callers]:
        caller.join(10)
        assert not caller.is_alive()
    assert first.outcome == 0
    assert group.submit(4) == 8
    return callers


def test_callers_that_wait_share_one_commit() -> None:
    """While one commit is under way all others queue, and the next one serves them all."""
    commit = Committer()
    callers = run_behind(commit, [2, 4, 6])
    assert commit.groups[:2] == [[0], [2, 4, 6]]
    assert [caller.outcome for caller in callers] == [4, 8, 12]


def test_each_caller_has_its_own_verdict() -> None:
    """A refused caller gets its refusal, and its neighbours their results."""
    callers = run_behind(Committer(), [2, 3, 6])
    assert [callers[0].outcome, callers[2].outcome] == [4, 12]
    assert isinstance(callers[1].outcome, Conflict)


def test_a_stopped_leader_leaves_no_caller_waiting() -> None:
    """If Ctrl-C stops the leader, its followers learn that their outcome is unknown."""
    commit = Committer()
    commit.failure = KeyboardInterrupt()
    group: GroupCommit[int, int] = GroupCommit(commit)
    first = Caller(group, 0)
    first.start()
    assert commit.first_is_under_way.wait(10)
    leader, follower = queued(group, [2, 4])
    commit.may_go_on.set()
    for caller in (first, leader, follower):
        caller.join(10)
    assert isinstance(leader.outcome, KeyboardInterrupt)
    assert isinstance(follower.outcome, BackendError)
    assert follower.outcome.outcome == "unknown"
    commit.failure = None
    assert group.submit(8) == 16


class Interrupted:
    """A lock whose wait is broken off by Ctrl-C, once `meanwhile` has been called."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        self.meanwhile = meanwhile

    def acquire(self) -> None:
        self.meanwhile()
        raise KeyboardInterrupt

    def release(self) -> None: ...

    def locked(self) -> bool:
        return False


@pytest.mark.parametrize("has_baton", [False, True])
def test_a_stopped_follower_keeps_no_baton(
    has_baton: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that gives up waiting leaves the queue, and hands on the baton if it has it."""
    commit = Committer()
    calls: GroupCommit[int, int] = GroupCommit(commit)
    first = Caller(calls, 0)
    first.start()
    assert commit.first_is_under_way.wait(10)

    def make(request: int) -> object:
        call = original(request)
        if request == 6:
            call.wake = Interrupted(meanwhile)
        return call

    def meanwhile() -> None:
        others.extend(queued(calls, [2]))
        if has_baton:
            commit.may_go_on.set()
            first.join(10)

    original, others = group._Call, list[Caller]()
    monkeypatch.setattr(group, "_Call", make)
    with pytest.raises(KeyboardInterrupt):
        calls.submit(6)
    commit.may_go_on.set()
    others[0].join(10)
    assert others[0].outcome == 4
    assert [6] not in commit.groups


class Pausing:
    """A mutex after whose first use a thread rests until `may_go_on` is set."""

    def __init__(self, name: str) -> None:
        self.mutex, self.name = threading.Lock(), name
        self.rests, self.may_go_on = threading.Event(), threading.Event()

    def __enter__(self) -> None:
        self.mutex.acquire()

    def __exit__(self, *_: object) -> None:
        self.mutex.release()
        if threading.current_thread().name == self.name and not self.rests.is_set():
            self.rests.set()
            assert self.may_go_on.wait(10)


def test_the_baton_may_come_before_the_wait() -> None:
    """A caller that is handed the baton before it begins to wait leads, and no one is stuck."""
    commit = Committer()
    group: GroupCommit[int, int] = GroupCommit(commit)
    first, slow = Caller(group, 0), Caller(group, 2)
    group._mutex = Pausing(slow.name)
    first.start()
    assert commit.first_is_under_way.wait(10)
    slow.start()
    assert group._mutex.rests.wait(10)
    commit.may_go_on.set()
    first.join(10)
    group._mutex.may_go_on.set()
    slow.join(10)
    assert slow.outcome == 4
    assert group.submit(6) == 12

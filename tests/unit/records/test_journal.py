"""What is in the journal after cuts, kills and damage, and who is told."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from record_steps import log, steps_of

from trackstore.errors import BackendError, Unsupported
from trackstore.model import Batch
from trackstore_backends.records import FileBackendStore
from trackstore_backends.records.journal import HEADER, Frame, Journal

Open = Callable[[], FileBackendStore]


def frames_of(journal: Path) -> list[Frame]:
    file = os.open(journal, os.O_RDONLY)
    try:
        read = Journal(file)
        return list(read.frames(HEADER, read.seed))
    finally:
        os.close(file)


def test_a_record_that_was_cut_at_any_byte_is_as_if_it_never_was(
    store: FileBackendStore, opened: Open, journal: Path
) -> None:
    """The store opens, shows all before it, and takes the next write, which all others see."""
    log(store, 1)
    before = journal.stat().st_size
    log(store, 2)
    whole = journal.read_bytes()
    for size in range(before, len(whole)):
        journal.write_bytes(whole[:size])
        handle = opened()
        assert steps_of(handle) == [1]
        assert steps_of(store) == [1]
        log(handle, 3)
        assert steps_of(store) == steps_of(opened()) == [1, 3]


@pytest.mark.parametrize("kept", range(0, 120, 7))
def test_what_a_cut_left_is_never_part_of_a_later_record(
    store: FileBackendStore, opened: Open, journal: Path, kept: int
) -> None:
    """Of a record only the end reached the disk, and the record after it is shorter."""
    log(store, 1)
    before = journal.stat().st_size
    log(store, 2)
    whole = journal.read_bytes()
    assert len(whole) - before > 120
    end = len(whole) - kept
    journal.write_bytes(whole[:before] + bytes(end - before) + whole[end:])
    store.log("r", Batch(tags={"t": "1", "u": ""}))
    assert opened().get_run("r").tags == {"t": "1", "u": ""}
    assert journal.stat().st_size == frames_of(journal)[-1].end


def test_damage_before_a_good_record_is_told_with_its_place(
    store: FileBackendStore, opened: Open, journal: Path
) -> None:
    """No write cuts it off, whichever byte is wrong, and the file is left as it is."""
    for step in range(3):
        log(store, step)
    *_, bad, _ = frames_of(journal)
    whole = journal.read_bytes()
    for place in range(bad.start, bad.end):
        broken = bytearray(whole)
        broken[place] ^= 0x40
        journal.write_bytes(broken)
        handle = opened()
        with pytest.raises(BackendError, match=f"at byte {bad.start}"):
            handle.get_run("r")
        with pytest.raises(BackendError, match=f"at byte {bad.start}") as caught:
            log(handle, 9)
        assert caught.value.outcome == "none"
        assert journal.read_bytes() == broken


def test_a_record_that_is_missing_is_damage(
    store: FileBackendStore, opened: Open, journal: Path
) -> None:
    """The record behind it is whole, but not the one that follows."""
    for step in range(3):
        log(store, step)
    *_, gone, _ = frames_of(journal)
    whole = journal.read_bytes()
    journal.write_bytes(whole[: gone.start] + whole[gone.end :])
    with pytest.raises(BackendError, match=f"at byte {gone.start}"):
        opened().get_run("r")


def test_damage_to_points_is_told_when_they_are_read(
    store: FileBackendStore, journal: Path
) -> None:
    """A handle that has read a record before finds out too."""
    log(store, 1)
    bad = frames_of(journal)[-1]
    log(store, 2)
    broken = bytearray(journal.read_bytes())
    broken[bad.end - 1] ^= 1
    journal.write_bytes(broken)
    with pytest.raises(BackendError, match=f"at byte {bad.start}"):
        store.metric_history("r", "m", None, 10)


@pytest.mark.parametrize("place", range(HEADER))
def test_a_header_is_not_guessed(
    store: FileBackendStore, opened: Open, journal: Path, place: int
) -> None:
    """With one byte of it wrong, nothing is read and nothing is cut off."""
    broken = bytearray(journal.read_bytes())
    broken[place] ^= 0x01
    journal.write_bytes(broken)
    for handle in (store, opened()):
        with pytest.raises((BackendError, Unsupported)):
            handle.get_run("r")
        with pytest.raises((BackendError, Unsupported)):
            log(handle, 1)
    assert journal.read_bytes() == broken


def test_newer_records_are_refused(store: FileBackendStore, opened: Open, journal: Path) -> None:
    """The message says what to do, and the file is left as it is."""
    newer = b"trackstore records 002 and all that is in it\n" * 10
    journal.write_bytes(newer)
    for handle in (store, opened()):
        with pytest.raises(Unsupported, match="newer trackstore made: upgrade"):
            handle.get_run("r")
        with pytest.raises(Unsupported, match="version 2"):
            log(handle, 1)
    assert journal.read_bytes() == newer


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"SQLite format 3\0" * 100])
def test_another_programs_file_is_refused(opened: Open, journal: Path, content: bytes) -> None:
    """It is not taken for an empty store, nor written to."""
    journal.parent.mkdir(parents=True)
    journal.write_bytes(content)
    with pytest.raises(BackendError, match="at byte 0"):
        log(opened(), 1)
    assert journal.read_bytes() == content


@pytest.mark.parametrize("absent", [9, 10_000])
@pytest.mark.parametrize("looks", range(12))
def test_a_record_that_is_being_written_is_no_damage(
    store: FileBackendStore,
    journal: Path,
    monkeypatch: pytest.MonkeyPatch,
    looks: int,
    absent: int,
) -> None:
    """It may become whole at any look at the file, and others may follow it by then."""
    for step in range(3):
        log(store, step)
    frames = frames_of(journal)
    for start in range(frames[-2].start, frames[-1].end, 9):
        with monkeypatch.context() as patch:
            patch.setattr(os, "pread", growing(looks, start, absent))
            found = frames_of(journal)
        assert found == frames[: len(found)]
        assert len(found) >= len(frames) - 2


def growing(looks: int, start: int, absent: int) -> Callable[[int, int, int], bytes]:
    """Return a `pread` for which the file ends at `start` the first few times.

    The last of these times is while it is written: the end is there, and something before it not.
    """
    pread, left = os.pread, [looks]

    def read(file: int, length: int, at: int) -> bytes:
        left[0] -= 1
        data = bytearray(pread(file, length, at))
        if left[0] >= 0:
            first, end = (
                max(0, start - at),
                max(0, start - at + (absent if left[0] == 0 else 10_000)),
            )
            data[first:end] = bytes(len(data[first:end]))
        return bytes(data)

    return read

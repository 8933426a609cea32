from trackstore_conformance.bench import BackendBench
from trackstore_conformance.faults.backend import BACKEND
from trackstore_conformance.faults.play import play_script
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import BackendSuite

ANY = ("B-ERR-01", "B-ERR-02", "B-ERR-03", "B-ERR-04", "B-BAT-01", "B-EXP-09", "B-RUN-04")
"""What a call has to hold that a fault struck; a violation says which of them it broke."""


class FaultTests(BackendSuite):
    """Faults of the network between a store and its data: each test plays a script."""

    __test__ = False

    @rule(*ANY, kind="fault")
    def test_a_slow_network_changes_nothing(self, bench: BackendBench) -> None:
        """Requests and replies that come late, and in pieces, are those that were sent."""
        play_script(bench, BACKEND, "slow")

    @rule(*ANY, kind="fault")
    def test_a_server_that_refuses_is_unavailable(self, bench: BackendBench) -> None:
        """With nobody listening nothing is done, and later the handle goes on."""
        play_script(bench, BACKEND, "refused")

    @rule(*ANY, kind="fault")
    def test_connections_that_were_dropped_are_replaced(self, bench: BackendBench) -> None:
        """A restart of the server between two calls costs one error at most, or none."""
        play_script(bench, BACKEND, "dropped")

    @rule(*ANY, kind="fault")
    def test_a_request_that_was_not_sent_is_not_done(self, bench: BackendBench) -> None:
        """A connection that is reset before the request has arrived leaves nothing."""
        play_script(bench, BACKEND, "unsent")

    @rule(*ANY, kind="fault")
    def test_a_request_that_was_cut_is_not_done_by_half(self, bench: BackendBench) -> None:
        """Half of a request is none."""
        play_script(bench, BACKEND, "half-sent")

    @rule(*ANY, kind="fault")
    def test_a_request_that_was_not_answered_is_done_once(self, bench: BackendBench) -> None:
        """The server is at work while its client has already been cut off."""
        play_script(bench, BACKEND, "unheard")

    @rule(*ANY, kind="fault")
    def test_a_lost_reply_is_told(self, bench: BackendBench) -> None:
        """What was done, and not confirmed, is never said not to have been done, nor done twice."""
        play_script(bench, BACKEND, "lost-reply")

    @rule(*ANY, kind="fault")
    def test_a_lost_reply_is_told_when_the_server_is_gone(self, bench: BackendBench) -> None:
        """A second attempt that fails for sure does not make the first one undone."""
        play_script(bench, BACKEND, "last-words")

    @rule(*ANY, kind="fault")
    def test_a_lost_reply_is_told_though_the_run_is_deleted_meanwhile(
        self, bench: BackendBench
    ) -> None:
        """A second attempt that is refused does not make the first one undone."""
        play_script(bench, BACKEND, "overtaken")

    @rule(*ANY, kind="fault")
    def test_a_reply_that_was_cut_is_no_reply(self, bench: BackendBench) -> None:
        """Half of a reply is none."""
        play_script(bench, BACKEND, "half-reply")

    @rule(*ANY, kind="fault")
    def test_a_black_hole_ends_a_call(self, bench: BackendBench) -> None:
        """A call that nothing answers ends in time, and later the handle goes on."""
        play_script(bench, BACKEND, "black-hole")

    @rule(*ANY, kind="fault")
    def test_a_swallowed_reply_ends_a_call(self, bench: BackendBench) -> None:
        """A call that was done, and is not answered, ends in time and says that it is unknown."""
        play_script(bench, BACKEND, "swallowed-reply")

    @rule(*ANY, kind="fault")
    def test_a_late_reply_is_not_the_next_ones(self, bench: BackendBench) -> None:
        """What arrives after its call has ended is given to nobody."""
        play_script(bench, BACKEND, "late-reply")

    @rule("B-ERR-01", "B-ERR-03", "B-ERR-04", kind="fault")
    def test_a_damaged_request_breaks_no_handle(self, bench: BackendBench) -> None:
        """Whatever the server makes of a request with a wrong bit, the call ends as any other."""
        play_script(bench, BACKEND, "damaged-request")

    @rule("B-ERR-01", "B-ERR-03", "B-ERR-04", kind="fault")
    def test_a_damaged_reply_breaks_no_handle(self, bench: BackendBench) -> None:
        """Whatever the client makes of a reply with a wrong bit, the next call is answered."""
        play_script(bench, BACKEND, "damaged-reply")

    @rule("B-ERR-05", kind="fault")
    def test_a_damaged_request_is_noticed(self, bench: BackendBench) -> None:
        """The server does what was asked, or nothing."""
        play_script(bench, BACKEND, "damaged-request", noticed=True)

    @rule("B-ERR-05", kind="fault")
    def test_a_damaged_reply_is_noticed(self, bench: BackendBench) -> None:
        """The client returns what was answered, or fails."""
        play_script(bench, BACKEND, "damaged-reply", noticed=True)

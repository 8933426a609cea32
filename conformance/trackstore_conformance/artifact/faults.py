from trackstore_conformance.bench import ArtifactBench
from trackstore_conformance.faults.artifacts import FILES
from trackstore_conformance.faults.play import play_script
from trackstore_conformance.rules import rule
from trackstore_conformance.suites import ArtifactSuite

ANY = ("A-RTY-01", "A-PUT-06", "A-ERR-01")
"""What a call has to hold that a fault struck; a violation says which of them it broke."""


class ArtifactFaultTests(ArtifactSuite):
    """Faults of the network between a store and its data: each test plays a script."""

    __test__ = False

    @rule(*ANY, kind="fault")
    def test_a_slow_network_changes_no_file(self, bench: ArtifactBench) -> None:
        """Files and listings that come late, and in pieces, are those that were sent."""
        play_script(bench, FILES, "slow")

    @rule(*ANY, kind="fault")
    def test_a_service_that_refuses_is_unavailable(self, bench: ArtifactBench) -> None:
        """With nobody listening nothing is done, and later the handle goes on."""
        play_script(bench, FILES, "refused")

    @rule(*ANY, kind="fault")
    def test_connections_to_files_that_were_dropped_are_replaced(
        self, bench: ArtifactBench
    ) -> None:
        """A restart of the service between two calls costs one error at most, or none."""
        play_script(bench, FILES, "dropped")

    @rule(*ANY, kind="fault")
    def test_a_file_that_was_not_sent_is_not_there(self, bench: ArtifactBench) -> None:
        """A connection that is reset before the request has arrived leaves nothing."""
        play_script(bench, FILES, "unsent")

    @rule(*ANY, kind="fault")
    def test_a_file_that_was_cut_is_not_there_by_half(self, bench: ArtifactBench) -> None:
        """Half of a request is none: the file is not there, or the old one is."""
        play_script(bench, FILES, "half-sent")

    @rule(*ANY, kind="fault")
    def test_an_upload_that_is_cut_is_not_there_by_half(self, bench: ArtifactBench) -> None:
        """In the middle of the bytes, also of a file that is sent in many parts."""
        play_script(bench, FILES, "cut-upload")

    @rule("A-RTY-01", "A-ERR-01", kind="fault")
    def test_a_download_that_is_cut_is_not_taken_for_the_whole(self, bench: ArtifactBench) -> None:
        """All bytes come, or an error does."""
        play_script(bench, FILES, "cut-download")

    @rule(*ANY, kind="fault")
    def test_a_file_that_was_sent_and_not_answered_is_whole(self, bench: ArtifactBench) -> None:
        """The service is at work while its client has already been cut off."""
        play_script(bench, FILES, "unheard")

    @rule(*ANY, kind="fault")
    def test_a_lost_reply_about_a_file_is_told(self, bench: ArtifactBench) -> None:
        """What was done, and not confirmed, is never said not to be there, nor to be another's."""
        play_script(bench, FILES, "lost-reply")

    @rule(*ANY, kind="fault")
    def test_replies_about_a_file_that_are_lost_again_are_told(self, bench: ArtifactBench) -> None:
        """A store that has tried often enough says that it does not know."""
        play_script(bench, FILES, "lost-replies")

    @rule(*ANY, kind="fault")
    def test_a_lost_reply_about_a_file_is_told_when_the_service_is_gone(
        self, bench: ArtifactBench
    ) -> None:
        """A second attempt that fails for sure does not make the first one undone."""
        play_script(bench, FILES, "last-words")

    @rule(*ANY, kind="fault")
    def test_a_reply_about_a_file_that_was_cut_is_no_reply(self, bench: ArtifactBench) -> None:
        """Half of a reply is none."""
        play_script(bench, FILES, "half-reply")

    @rule(*ANY, kind="fault")
    def test_a_black_hole_ends_a_call_about_a_file(self, bench: ArtifactBench) -> None:
        """A call that nothing answers ends in time, and later the handle goes on."""
        play_script(bench, FILES, "black-hole")

    @rule(*ANY, kind="fault")
    def test_a_swallowed_reply_ends_a_call_about_a_file(self, bench: ArtifactBench) -> None:
        """A call that was done, and is not answered, ends in time and says that it is unknown."""
        play_script(bench, FILES, "swallowed-reply")

    @rule(*ANY, kind="fault")
    def test_a_late_reply_is_not_the_next_files(self, bench: ArtifactBench) -> None:
        """What arrives after its call has ended is given to nobody."""
        play_script(bench, FILES, "late-reply")

    @rule("A-ERR-01", "A-RTY-01", kind="fault")
    def test_a_damaged_upload_breaks_no_handle(self, bench: ArtifactBench) -> None:
        """Whatever the service makes of a request with a wrong bit, the call ends as any other."""
        play_script(bench, FILES, "damaged-request")

    @rule("A-ERR-01", "A-RTY-01", kind="fault")
    def test_a_damaged_download_breaks_no_handle(self, bench: ArtifactBench) -> None:
        """Whatever the client makes of a reply with a wrong bit, the next call is answered."""
        play_script(bench, FILES, "damaged-reply")

    @rule("A-RTY-02", kind="fault")
    def test_a_damaged_upload_is_noticed(self, bench: ArtifactBench) -> None:
        """The service keeps what was sent, or nothing."""
        play_script(bench, FILES, "damaged-request", noticed=True)

    @rule("A-RTY-02", kind="fault")
    def test_a_damaged_download_is_noticed(self, bench: ArtifactBench) -> None:
        """The client returns what was answered, or fails."""
        play_script(bench, FILES, "damaged-reply", noticed=True)

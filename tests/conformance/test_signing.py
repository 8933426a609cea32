"""The suite on a store that signs URLs of its own server: what the mutants of signing break."""

from trackstore_conformance.artifact.signing import SigningTests
from trackstore_conformance.artifact.sweeping import SweepTests
from trackstore_conformance.artifact.uploads import UploadTests
from trackstore_conformance.harness import Harness
from trackstore_conformance.mutants.signs import SignsRightly


class TestSigning(SigningTests, UploadTests, SweepTests):
    harness = Harness("memory://{name}", SignsRightly.from_url)

"""`file:///folder`: artifacts as plain files.  Needs a POSIX system: Linux or macOS."""

import os

from trackstore.errors import Unsupported

if os.name != "posix":
    raise Unsupported("the file store needs Linux or macOS: Windows lacks the calls it rests on")

from trackstore_backends.file.store import FileArtifactStore

__all__ = ["FileArtifactStore"]

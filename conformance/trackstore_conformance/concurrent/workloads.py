"""Every workload, by name."""

from collections.abc import Mapping

from trackstore_conformance.concurrent.batches import BATCHES
from trackstore_conformance.concurrent.files import CREATE_ONLY, FILES
from trackstore_conformance.concurrent.lifecycle import LIFECYCLE
from trackstore_conformance.concurrent.names import GET_OR_CREATE, NAMES
from trackstore_conformance.concurrent.paging import PAGING
from trackstore_conformance.concurrent.params import PARAMS
from trackstore_conformance.concurrent.points import POINTS
from trackstore_conformance.concurrent.tags import TAGS
from trackstore_conformance.concurrent.updates import UPDATES
from trackstore_conformance.concurrent.workload import Workload

BACKEND = (NAMES, GET_OR_CREATE, PARAMS, TAGS, POINTS, UPDATES, BATCHES, LIFECYCLE, PAGING)
ARTIFACT = (FILES, CREATE_ONLY)
WORKLOADS: Mapping[str, Workload] = {each.name: each for each in (*BACKEND, *ARTIFACT)}

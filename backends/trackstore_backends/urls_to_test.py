"""By which URLs `trackstore conformance run --all-installed` tests these stores."""

FILE = "file://{folder}/store"
MEMORY = "memory://{folder}"
SQLITE = "sqlite:///{folder}/store.db"

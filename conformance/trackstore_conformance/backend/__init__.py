"""The parts of the backend suite, one for each part of `docs/contract.md`."""

"""The parts of the artifact suite, one for each part of `docs/contract.md`."""

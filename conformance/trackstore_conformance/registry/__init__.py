"""The parts of the suite of a store of registered models."""

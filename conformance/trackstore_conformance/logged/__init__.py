"""The parts of the suite of a store of logged models."""

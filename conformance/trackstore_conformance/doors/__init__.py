"""The ways in: what runs the tests on a store, and records how they ended."""

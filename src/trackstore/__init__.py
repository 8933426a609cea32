"""The storage layer of experiment tracking."""

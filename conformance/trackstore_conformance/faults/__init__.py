"""Faults of the network between a store and its data: a proxy, and scripts of what it does."""

"""Processes that are killed, and disks that fail, in the midst of a store's writes.

`nursery` forks workers, each with a handle on a store, and `tracing` watches one with strace, so
that it dies, or its disk fails, at a chosen system call.  A `trial` is one store with a model
beside it; `engine` leads many of them through the work that `backend` and `artifacts` know.
"""

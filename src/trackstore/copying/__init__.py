"""Copy one store into another: what is read, what is written, and whether it arrived.

A copy keeps ids, names, times, deleted runs and experiments, models and versions.  It only ever
adds to the target, each step may be repeated, and it changes nothing in the source; so one that
was interrupted is run again.
"""

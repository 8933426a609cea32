"""Verdicts on what concurrent clients saw, as pure functions of events on their clock.

Each knows one kind of object, such as a register or a set that grows, and nothing of stores:
`concurrent.judges` finds the events of each object in a history, and the rule that a clash
breaks.  Event `a` was before event `b` if it returned before `b` was called; what is not ordered
so may have taken effect in either order.
"""

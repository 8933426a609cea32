"""What the SQL stores share: schema and migrations, group commit, writes, reads and search.

Read `store.py` first: it is the contract, each call one line long.  A database supplies a
`Database` (see `database.py`) and, where it words things its own way, `fragments.py`.
"""

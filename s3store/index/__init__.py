"""Which objects there are. A row here is the truth; the files only obey.

Every change is one transaction that holds its bucket's row first (:mod:`s3store.index.ledger`), so
changes of one bucket happen one after the other and no two transactions ever wait for each other in
a circle. On SQLite the write lock of the database (``BEGIN IMMEDIATE``) does that work.

A file is announced in a row (:class:`~s3store.tables.ArrivalRow`) before its first byte, and that
row is taken away in the transaction that makes its content visible. So a file without a row is
rubbish, and the sweep can give an upload up without racing it: only one of the two finds the row.

The rooms are functions on a connection within a transaction; callers run them by
:meth:`~s3store.index.database.Database.look` and :meth:`~s3store.index.database.Database.change`.
"""

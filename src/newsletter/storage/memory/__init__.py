"""Stores that live as long as the process: for tests, this project's and yours, and for reading.

What `sqlite/` says in SQL stands here in plain Python. Both pass the one contract suite.
"""

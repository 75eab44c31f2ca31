"""Newsletters as code: a git folder becomes mail, and every single send is on record."""

__version__ = "0.1.0"

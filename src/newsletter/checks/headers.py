"""Checks of headers."""

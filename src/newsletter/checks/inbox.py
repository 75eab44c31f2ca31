"""Checks of inbox."""

"""Checks of size."""

"""Checks of dropped."""

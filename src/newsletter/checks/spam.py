"""Checks of spam."""

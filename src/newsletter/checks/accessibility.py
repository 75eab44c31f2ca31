"""Checks of accessibility."""

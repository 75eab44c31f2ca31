"""Checks of content."""

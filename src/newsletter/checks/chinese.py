"""Checks of chinese."""

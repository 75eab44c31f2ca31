"""Text files that people write: decoding, YAML with positions, and models that report all mistakes at once."""

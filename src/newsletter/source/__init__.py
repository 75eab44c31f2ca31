"""Text files that people write: decoding, YAML with places, and all mistakes at once."""

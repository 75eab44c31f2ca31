"""Edition and recipient to message: headers, personal values, one join of bytes. Knows no relay."""

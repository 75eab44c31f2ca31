"""SQLite: one file, one writer, WAL with full synchronisation."""

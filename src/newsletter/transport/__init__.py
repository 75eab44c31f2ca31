"""Message in, reply out: one open connection to a relay at a time. Knows no ledger and no state."""

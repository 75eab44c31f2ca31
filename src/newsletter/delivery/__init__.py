"""From messages to settled entries: states, ledger protocol, verdicts, pace, the sending loop. Knows no SQL."""

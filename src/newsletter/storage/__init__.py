"""The tables behind ledger and suppression. All SQL lives here, in numbered files and next to its parameters."""

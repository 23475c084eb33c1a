"""Reconciles engines and the ledger of faults: looks at what is, compares it with what is wanted, and acts."""

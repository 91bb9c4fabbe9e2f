"""Recorded data on a running platform: registered, published, reconciled by the ledger."""

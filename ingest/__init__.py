"""Log to store: routes, codecs, quality, duplicates, quarantine, ledger."""

"""From frames to one batch: routes, devices, units, times, duplicates, quarantine, ledger."""

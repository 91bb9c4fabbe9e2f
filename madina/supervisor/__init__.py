"""Everything on one machine: children in order, watched, restarted, and stopped in order."""

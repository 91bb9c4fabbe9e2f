"""Filling what an outage left out from where it is kept: messages of others, by our HTTP uplink."""

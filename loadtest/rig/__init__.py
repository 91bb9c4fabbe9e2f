"""Carries a scenario out: processes that send, and one that watches them."""

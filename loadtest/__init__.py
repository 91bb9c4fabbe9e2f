"""Simulated devices and the verdict on what became of their messages."""

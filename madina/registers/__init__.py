"""Registers: the files that a city has its devices in, read, planned, applied, and given back."""

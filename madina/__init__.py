"""Command line, settings and supervisor: the one room that knows all the others."""

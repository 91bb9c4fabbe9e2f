"""Command line, settings and supervisor: the only room that knows all the others."""

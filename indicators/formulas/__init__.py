"""Pure functions that turn columns of observations, or other indicators' rows, into outcomes."""

"""Time series: one interface, and the stores that implement it."""

"""Public-service indicators: definitions as data, and the engine that computes them."""

"""What madina costs, measured: paired, verified, and with controls that can fail."""

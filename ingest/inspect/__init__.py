"""The onboarding inspector: what traffic that nobody knows seems to be, and how to take it up."""

"""Pages and API for people and programs."""

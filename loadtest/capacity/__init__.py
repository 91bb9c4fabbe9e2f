"""From what a message costs on this machine to what a city, or ten thousand of them, need."""

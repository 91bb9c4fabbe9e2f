"""The gateway's other door: a client of brokers that a city has already."""

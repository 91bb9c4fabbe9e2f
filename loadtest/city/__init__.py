"""A made-up city: its places, its devices, and what they measure at any moment. Pure, by seed."""

"""What simulated devices send, for any number of devices: numbers in, bytes out. Pure, by seed."""

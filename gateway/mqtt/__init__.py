"""MQTT 3.1.1 and 5.0 without I/O: the codec, and what one connection does with it."""

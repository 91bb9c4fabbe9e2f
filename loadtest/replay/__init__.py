"""Recorded data as devices would have sent it: files and a mapping to MQTT messages."""

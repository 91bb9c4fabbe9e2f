"""MQTT endpoint to log; never looks into a payload."""

"""The connection to NATS that processes of several roles live on."""

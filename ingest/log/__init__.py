"""Ingest's side of the JetStream log: who owns a shard, reading it in order, forgetting it."""

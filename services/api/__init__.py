"""The calls of the API: one file a resource, each with its documents and its router."""

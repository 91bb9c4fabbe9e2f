"""What became of a load: the account of every message, the verdict, the report. Pure."""

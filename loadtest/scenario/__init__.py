"""What a load test is to do: files that people write, and when their messages are due. Pure."""

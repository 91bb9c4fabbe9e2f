"""The shared vocabulary of the platform; nothing here opens a socket, a file or a clock."""

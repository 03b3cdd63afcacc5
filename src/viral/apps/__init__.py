"""What people start: the command line, the server, the demonstration."""

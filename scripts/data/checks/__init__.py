"""What is in a file, and whether it can be used as a scan."""

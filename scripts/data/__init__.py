"""From a folder of scans to a list of them, split by subject."""

"""The maintainers' workshop: nothing of it is in a bundle."""

"""From a place in one scan to the same place in others."""

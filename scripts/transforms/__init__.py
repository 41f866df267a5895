"""From a scan to crops, their places, their views and their class labels."""

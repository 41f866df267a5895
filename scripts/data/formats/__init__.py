"""Scans in other formats than NIfTI, converted once."""

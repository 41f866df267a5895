"""Scans brought into one frame."""

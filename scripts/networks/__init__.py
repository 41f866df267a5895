"""Weights and networks: loading, comparing, and transferring into other networks."""

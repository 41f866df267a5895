"""How a network is run: in mixed precision, on a grid, in windows."""

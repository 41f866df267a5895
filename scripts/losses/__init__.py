"""What an encoder is trained to do: one objective a file, with its paper and its equation."""

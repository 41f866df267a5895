"""What an encoder or a classifier is worth, on subjects that it never saw."""

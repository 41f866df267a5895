"""What a run is, on record: its settings checked, its results kept."""

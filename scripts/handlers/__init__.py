"""What happens while an engine runs: checkpoints, seeds, progress, results of each scan."""

"""Figures: functions of embeddings, scores and labels."""

"""Figures: functions of embeddings, scores and class labels."""

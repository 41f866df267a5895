"""What is fitted to frozen embeddings."""

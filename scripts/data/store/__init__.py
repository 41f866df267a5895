"""Prepared scans on disk, from which crops are read without their volumes."""

"""What names of files and folders say: who is a subject, and whose a mask is."""

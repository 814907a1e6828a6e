"""What the results say, in tables, pictures and words."""

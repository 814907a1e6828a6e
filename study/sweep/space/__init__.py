"""What is swept: configurations, rows, goals."""

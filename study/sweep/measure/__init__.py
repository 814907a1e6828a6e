"""What a configuration shows on rows."""

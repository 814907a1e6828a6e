"""What a technology builds differently."""

"""What the report pages share: frame, colours, and the code that draws."""

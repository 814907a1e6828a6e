"""What a probe saw, and which unit it recommends: figures, a table, a page."""

"""The frame that report pages share: one HTML file that opens offline."""

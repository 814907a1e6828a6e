"""The units, and the datapaths that they share."""

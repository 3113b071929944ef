"""The layer lab: what single layers compute, cell by cell, as arrays and as scenes that can be drawn."""

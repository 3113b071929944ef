"""What was counted of each network, and everything that follows from it: tables, curves, differences, words, files."""

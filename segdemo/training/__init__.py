"""Training as a generator of steps, for the command line, a page, or a test."""

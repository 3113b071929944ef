"""`python -m segdemo`."""

from segdemo.cli import main

main()

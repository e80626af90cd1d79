"""`python -m headstart`: the command line."""

from headstart.cli import main

main()

"""Lets ``python -m venturi`` do what the command ``venturi`` does."""

from venturi.main import main

main()

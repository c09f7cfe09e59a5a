"""The tables of the store as this version of venturi reads and writes them."""

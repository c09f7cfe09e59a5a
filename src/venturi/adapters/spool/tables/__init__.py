"""The tables of a spool, and how their blobs are laid down."""

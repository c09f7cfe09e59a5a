"""Usage on the wire: what is asked, and how it is written while it is read."""

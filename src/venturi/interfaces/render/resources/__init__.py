"""Resources of a server as tables and text, and what would become of them."""

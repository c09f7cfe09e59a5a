"""Reports of usage for people and for programs."""

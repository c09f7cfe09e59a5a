"""What is compared with what, and held to which target."""

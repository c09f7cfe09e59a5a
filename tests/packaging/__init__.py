"""What is shipped: the wheel."""

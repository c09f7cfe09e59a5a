"""What an operator does with a database beside serving from it: upgrade, check, back up, restore."""

"""What people and programs see of an agent: its log, its metrics and its status."""

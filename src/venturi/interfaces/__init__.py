"""The edges towards people and programs: where values become text, tables and pictures."""

"""The agent: what it takes of a host that it meters with many labels."""

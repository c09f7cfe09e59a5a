"""The first hour of a newcomer, typed as ``docs/first-hour.md`` has it."""

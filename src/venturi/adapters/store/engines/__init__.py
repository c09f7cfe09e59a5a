"""Connections to the three databases, each set up for what the store promises."""

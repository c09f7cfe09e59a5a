"""Contracts: their keeping, and what they come to in a period."""

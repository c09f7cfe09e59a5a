"""Ledgers of any size, made at once: roll-ups and entries as postings and the roller would have left them, without either."""

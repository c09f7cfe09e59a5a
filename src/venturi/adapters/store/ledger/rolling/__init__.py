"""Rolling: folding postings into roll-ups, in the order of their numbers, behind a watermark."""

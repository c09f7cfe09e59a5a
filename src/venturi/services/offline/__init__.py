"""Metering of files: captures, flow exports and flow records."""

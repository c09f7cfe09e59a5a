"""Decoders: octets in, flow batches out.

Owns the formats of captures and of flow export. Never opens a file, never raises on malformed content.
"""

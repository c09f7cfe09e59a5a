"""Flow export: NetFlow v5 and v9, IPFIX and sFlow v5 messages in, flow batches out.

Owns the protocols and what a collector must remember between messages. Sockets, files and clocks are elsewhere.
"""

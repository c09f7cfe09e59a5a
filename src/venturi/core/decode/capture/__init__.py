"""Captures: the frames of pcap and pcapng files, the packets in them and the datagrams that they carry.

Owns the container formats, the link layers and the IP headers. What a datagram exports is the affair of ``decode.export``.
"""

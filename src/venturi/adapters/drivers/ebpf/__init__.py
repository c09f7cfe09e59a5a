"""The eBPF driver: programs at the hooks of a device count by class pair in maps.

Owns what is special to eBPF. The programs themselves are C, below ``bpf/``.
"""

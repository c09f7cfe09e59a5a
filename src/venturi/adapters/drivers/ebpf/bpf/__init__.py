"""The kernel's side of eBPF: objects, maps, links and filters, by libbpf and by bpf(2).

Owns calls and nothing of what is counted.
"""

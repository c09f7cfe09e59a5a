"""The network of this host as drivers and the agent see it: namespaces and devices."""

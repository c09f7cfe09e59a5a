"""The servers that are measured beside each other: venturi's and a real Neutron, each with a database of its own."""

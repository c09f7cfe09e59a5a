"""The data plane: packets forwarded through a router, unmetered, metered by Neutron's chains and metered by venturi, side by side."""

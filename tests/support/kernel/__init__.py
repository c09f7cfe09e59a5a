"""Packets through routers in namespaces, and drivers held to what they count."""

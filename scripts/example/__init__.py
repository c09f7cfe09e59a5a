"""Make the bundled example: an hour of real traffic between network namespaces, its capture, a flow export of it, independent totals.

This package runs programs and owns namespaces of its own; nothing of venturi is imported here, so that the totals it records stay
independent of what they are used to check.
"""

"""The meter: from classified flows to usage, exact to the octet.

Owns the splitting over intervals, the sums, the scaling of sampled counts and the usage they become.
"""

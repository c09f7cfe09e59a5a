"""A laboratory on this host: namespaces joined to a network, and traffic through it whose amount is known.

Owns nothing that meters. Traffic stays inside the namespaces that the laboratory made.
"""

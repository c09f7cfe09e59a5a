"""Compiled walks over export messages: octets in, rows of flow columns out.

Owns what is done for every record. What happens once per template, sampler or exporter is Python, one package up.
"""

"""Callers that OpenStack Identity knows."""

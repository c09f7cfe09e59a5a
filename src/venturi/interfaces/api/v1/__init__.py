"""Venturi's own API, version 1: routes and what describes them."""

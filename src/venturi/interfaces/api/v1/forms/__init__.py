"""Wire forms of the own API: what is sent and answered, translated to and from domain values. No routes."""

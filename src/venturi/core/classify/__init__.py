"""Classification: which labels a packet counts for.

Owns the semantics in a readable form (``reference``), their compilation into traffic classes and the vectorised engine.
"""

"""Documents as YAML 1.1, for people and programs."""

from typing import TextIO

_BOUNDLESS = 1 << 30


def write_yaml(document: object, stream: TextIO) -> None:
    """Write ``document``, made of JSON values, with the names of objects in their own order."""
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    yaml.dump(document, stream, Dumper=dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=_BOUNDLESS)

"""Draws charts into files: SVG, PNG and HTML that needs no network.

Owns the drawing engine (Vega-Lite, run in process). What is drawn belongs to ``chart``. The engine of pages is the same text in each, and
putting it together takes seconds, so the package brings it (``scripts/build-chart-engine``).
"""

import gzip
import hashlib
import json
from pathlib import Path

import vl_convert

from venturi.interfaces.render.chart import Specification

_VEGA_LITE = "5.20"
_PIXELS_PER_UNIT = 2.0
PACKED_ENGINE = Path(__file__).with_name("chart_engine.js.gz")
"""The engine of pages as the package brings it."""
_SNIPPET = """
const specification = JSON.parse(document.getElementById("specification").textContent);
vegaEmbed("#chart", specification, {actions: {export: true, source: false, compiled: false, editor: false}, renderer: "svg"});
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Traffic by metering label</title>
<style>body {{ margin: 2em; background: white; }} #chart {{ max-width: 100%; overflow-x: auto; }}</style>
</head>
<body>
<div id="chart"></div>
<script type="application/json" id="specification">{specification}</script>
<script type="module">{engine}</script>
</body>
</html>
"""


def draw_chart(specification: Specification, ending: str) -> bytes:
    """Draw a specification as the content of a file of ``ending``, one of ``CHART_FORMATS``; PNG has two pixels per unit."""
    text = json.dumps(specification)
    if ending == ".png":
        return vl_convert.vegalite_to_png(text, vl_version=_VEGA_LITE, scale=_PIXELS_PER_UNIT)
    if ending == ".svg":
        return vl_convert.vegalite_to_svg(text, vl_version=_VEGA_LITE).encode()
    return _page(text).encode()


def is_engine_packed() -> bool:
    """Tell whether the package brings the engine that pages need."""
    return _read_engine() is not None


def pack_engine() -> Path:
    """Put the engine of pages together and keep it in the package; give the file. Its first line names what it was made of."""
    PACKED_ENGINE.write_bytes(gzip.compress(f"{_engine_name()}\n{_make_engine()}".encode(), mtime=0))
    return PACKED_ENGINE


def _page(specification: str) -> str:
    """Make a page that holds the drawing engine and the specification, in which no label's name can end the script."""
    inert = specification.replace("<", "\\u003c")
    return _PAGE.format(engine=_read_engine() or _make_engine(), specification=inert)


def _read_engine() -> str | None:
    """Read the engine that the package brings, unless there is none or it was made of something else."""
    if not PACKED_ENGINE.is_file():
        return None
    name, _, engine = gzip.decompress(PACKED_ENGINE.read_bytes()).decode().partition("\n")
    return engine if name == _engine_name() else None


def _make_engine() -> str:
    return vl_convert.javascript_bundle(_SNIPPET, vl_version=_VEGA_LITE).replace("</script", "<\\/script")


def _engine_name() -> str:
    return f"// Vega-Lite {_VEGA_LITE}, {hashlib.sha256(_SNIPPET.encode()).hexdigest()}"

"""Draws charts into files: SVG, PNG and HTML that needs no network.

Owns the drawing engine (Vega-Lite, run in process). What is drawn belongs to ``chart``.
"""

import json

import vl_convert

from venturi.interfaces.render.chart import Specification

_VEGA_LITE = "5.20"
_PIXELS_PER_UNIT = 2.0
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


def _page(specification: str) -> str:
    """Make a page that holds the drawing engine and the specification, in which no label's name can end the script."""
    inert = specification.replace("<", "\\u003c")
    engine = vl_convert.javascript_bundle(_SNIPPET, vl_version=_VEGA_LITE).replace("</script", "<\\/script")
    return _PAGE.format(engine=engine, specification=inert)

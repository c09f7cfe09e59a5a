"""``python -m scripts.chart_engine``: puts the drawing engine of pages into the package, unless it is there.

Run by ``scripts/build-chart-engine``.
"""

from venturi.interfaces.render.chart_files import is_engine_packed, pack_engine

if __name__ == "__main__" and not is_engine_packed():
    pack_engine()

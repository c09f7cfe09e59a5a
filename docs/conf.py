"""How the pages are built: Markdown by MyST, no network, warnings are errors (make docs)."""

project = "venturi"
copyright = "2026, the venturi developers"
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "venturi"
myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

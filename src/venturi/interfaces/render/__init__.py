"""The forms in which a meter report leaves venturi: tables, text for programs, columnar files and charts."""

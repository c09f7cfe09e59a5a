"""The metering core: values in, values out.

No module below this package performs I/O, reads a clock, logs or knows of SQL.
"""

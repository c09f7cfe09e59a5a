"""Files: captures, flow exports, flow records and rules, and their decompression."""

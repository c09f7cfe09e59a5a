"""The benchmarks: venturi and its peers on the same input in the same run. Nothing here is part of the product."""

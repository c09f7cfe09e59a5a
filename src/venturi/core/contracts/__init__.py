"""The arithmetic of contracts: periods, samples, percentiles, volumes and prices; every figure is exact until it is rounded."""

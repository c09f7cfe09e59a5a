"""How things are measured: programs as processes, kernels and libraries inside a process of their own."""

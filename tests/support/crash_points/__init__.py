"""Every state in which a crash can leave files, made of what a program asked the kernel to write."""

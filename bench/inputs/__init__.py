"""What is measured: traffic, captures, exports and rules, made from fixed seeds and kept between runs."""

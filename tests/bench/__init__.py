"""Benchmarks: what this machine does, side by side in one run. `./deedbox bench` runs them; none of them is a test."""

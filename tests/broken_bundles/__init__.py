"""Bundles with exactly one fault each, and good ones, with the verdict that every verifier must give.

`python -m broken_bundles.make FOLDER` writes them (from the folder `tests`); `cases.all_cases()` has them in memory.
"""

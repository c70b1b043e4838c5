"""Scores of blur maps against ground truth, benchmarks of methods, and their reports."""

"""Prometheus metrics of engines and results, and what is made from them: dashboards, rules, windows for others."""

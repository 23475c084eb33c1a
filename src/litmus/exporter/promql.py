"""What dashboards and rules ask of Prometheus in the same words. Pure."""


def risen(series: str, span: str) -> str:
    """By how much each counter has risen in a span of time, with what it began with if it began in it.

    ``increase`` alone misses that: a counter that was there for the first time with 1 has not risen for it. What is
    counted of a fault soon after it is known is so whenever Prometheus did not scrape in between.
    """
    grown = f"increase({series}[{span}])"
    return f"({grown} + (min_over_time({series}[{span}]) unless {series} offset {span}) or {grown})"

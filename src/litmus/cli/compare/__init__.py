"""``litmus compare``: what changed between two runs or two sets of runs, and how sure that is.

``sets`` turns what a person names - results, files, runs of a result, labels - into runs with their figures; whether
these differ is for ``litmus.impact.comparison`` to say; ``command`` shows it and ends with a status for CI.
"""

"""Reports of results: one file to attach to a ticket, Markdown for a pull request, JSON for programs, lines for
people.

``reading`` (files) and ``fetching`` (a cluster) make records: a result with the engine, the events and the versions
around it. Everything after that is pure: ``moments`` puts a record in the order of time, ``wording`` turns figures
into words, and ``page``, ``markdown``, ``lines`` and ``document`` write them down. Nothing here computes a figure or
judges one: a report says what the result says.
"""

"""``litmus top``: what chaos goes on in a cluster, live.

``watching`` keeps the objects, ``rows`` says what is to be seen of them (pure), ``drawing`` puts that on a screen and
``lines`` into a pipe, ``screen`` has the terminal, and ``command`` ties them together.
"""

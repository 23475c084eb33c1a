"""The scheduler: which node a pod runs on, and in one sentence why on none.

``snapshot`` is the cluster as one decision sees it; ``filters`` and ``scores`` are tables of small functions, one for
each plug-in of kube-scheduler that does the same; ``preemption`` says who has to make room; ``scheduler`` takes the
pods in order and binds them. Source: "Scheduling, Preemption and Eviction" of the Kubernetes documentation.
"""

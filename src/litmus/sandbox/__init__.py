"""An embedded Kubernetes for laptops and tests: it knows Kubernetes and knows nothing of litmus.

The walls inside are those of Kubernetes itself. ``machinery`` is what every object obeys (storage, verbs, validation,
patches), synchronous and without I/O; ``apiserver`` puts it on HTTP; ``controllers`` and ``scheduler`` act on it in the
same process; ``node`` is a kubelet in a process of its own that runs containers as local processes; ``network`` answers
on the addresses of services; ``images`` says which command an image stands for.
"""

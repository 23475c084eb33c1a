"""The addresses of services: a process that listens on them and passes connections on to pods.

What kube-proxy does with packets is done here with connections, because a sandbox has no network of its own, only
loopback addresses. ``routes`` says what should be answered where, ``listeners`` opens and closes it, ``streams`` and
``datagrams`` pass the bytes on, ``proxy`` follows the cluster. Source: "Virtual IPs and Service Proxies" of the
Kubernetes documentation.
"""

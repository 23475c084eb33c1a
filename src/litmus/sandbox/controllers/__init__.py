"""The controllers: each compares what an object asks for with what is there, and takes the next step.

A controller knows the cluster and nothing of HTTP; it reads like the paragraph of the Kubernetes documentation that it
implements. It is level-triggered: it may be asked about any key at any time, and looks at everything again.
"""

"""What happens on a node, one file a mechanism. Knows no Kubernetes and imports the standard library only."""

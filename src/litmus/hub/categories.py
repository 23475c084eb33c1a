"""The categories of a hub: what a group of charts is called and what it is about.

The names are those of the public hub at 1.10, so that an experiment of another package that says ``chart = "kafka"``
comes to a group with a title and a text. A group that is not listed here gets both from its name.
"""

from dataclasses import dataclass

# Experiments of other packages that can't be used stand here, because nobody knows their group.
UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Category:
    """Texts of a group. ``help`` is Markdown; ``links`` are names and URLs."""

    title: str
    help: str
    keywords: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()


KNOWN = {
    "generic": Category(
        "Generic",
        "Faults that any application on Kubernetes can meet: pods that are deleted, containers that are killed, slow "
        "and lossy networks, processors, memory and disks under load, and nodes that are drained, tainted, restarted "
        "or lose their kubelet.",
        ("Kubernetes", "pod", "container", "node", "network", "disk"),
        (("Kubernetes", "https://kubernetes.io/"),),
    ),
    "kube-components": Category(
        "Kubernetes components", "Faults of the parts that Kubernetes itself is made of.", ("Kubernetes",)
    ),
    "kube-aws": Category("Kubernetes on AWS", "Faults of machines and disks at Amazon Web Services.", ("AWS", "EC2")),
    "cassandra": Category("Cassandra", "Faults of Apache Cassandra on Kubernetes.", ("Cassandra", "database")),
    "coredns": Category("CoreDNS", "Faults of name resolution in the cluster.", ("CoreDNS", "DNS")),
    "kafka": Category("Kafka", "Faults of Apache Kafka on Kubernetes.", ("Kafka", "queue")),
    "openebs": Category("OpenEBS", "Faults of storage by OpenEBS.", ("OpenEBS", "storage")),
    UNUSABLE: Category(
        "Not usable", "Experiments of installed packages that can't be used. Each says why; the others work."
    ),
}


def category(group: str) -> Category:
    """The texts of a group; for one that is not known, made from its name."""
    words = group.replace("-", " ").strip()
    title = words[:1].upper() + words[1:]
    return KNOWN.get(group) or Category(title, f"Experiments of the group {title}.", (title,))

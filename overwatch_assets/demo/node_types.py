"""The machines that the company's clusters run on, as the cloud and Databricks list them."""

from dataclasses import dataclass

MB_PER_GB = 1024


@dataclass(frozen=True, slots=True)
class NodeType:
    """A node type.

    Attributes:
        dbus: DBUs per node and hour, without Photon.
        price: USD per node and hour, list price.
    """

    name: str
    cores: int
    memory_gb: float
    dbus: float
    price: float

    @property
    def memory_mb(self) -> int:
        """Memory in the API's unit."""
        return round(self.memory_gb * MB_PER_GB)


NODE_TYPES = {
    each.name: each
    for each in (
        NodeType("i3.xlarge", 4, 30.5, 1.0, 0.312),
        NodeType("i3.2xlarge", 8, 61.0, 2.0, 0.624),
        NodeType("r5d.xlarge", 4, 32.0, 0.9, 0.288),
        NodeType("r5d.2xlarge", 8, 64.0, 1.8, 0.576),
        NodeType("m5.xlarge", 4, 16.0, 0.69, 0.192),
        NodeType("m5d.large", 2, 8.0, 0.34, 0.113),
        NodeType("c5d.2xlarge", 8, 16.0, 1.21, 0.384),
        NodeType("g4dn.xlarge", 4, 16.0, 0.71, 0.526),
    )
}


def node_type_object(node: NodeType) -> dict[str, object]:
    """Return an element of `clusters/list-node-types`."""
    return {
        "node_type_id": node.name,
        "memory_mb": node.memory_mb,
        "num_cores": float(node.cores),
        "description": node.name,
        "instance_type_id": node.name,
        "category": "GPU Accelerated" if node.name.startswith("g") else "General Purpose",
        "num_gpus": 1 if node.name.startswith("g") else 0,
        "is_deprecated": False,
        "is_hidden": False,
        "support_cluster_tags": True,
        "support_ebs_volumes": True,
        "photon_driver_capable": True,
        "photon_worker_capable": True,
        "node_instance_type": {"instance_type_id": node.name, "local_disks": 1},
    }

"""Ids of the cluster policies that clusters refer to."""

from overwatch_assets.demo.company import seeded

POLICIES = ("personal-compute", "bi-photon", "job-standard")


def policy_id(seed: int, workspace_id: str, name: str) -> str:
    """Return the id of a policy, 16 hexadecimal digits."""
    return f"{seeded(seed, workspace_id, 'policy', name).getrandbits(64):016X}"

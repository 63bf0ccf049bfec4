"""Vesicles of several donors: a block with a list of donors stands for one pool per donor type."""

from __future__ import annotations

from tme_sim.scenario.merge import lay_over
from tme_sim.scenario.source import Node


def one_pool_per_donor(root: Node) -> Node:
    """Replace each pool whose ``donor`` is a list by one pool ``DONOR_NAME`` for every entry.

    All else of the block is shared. What the scenario itself says of a pool ``DONOR_NAME`` is laid over it, so that
    donors may differ in single keys. A list that is empty or holds anything but words is left to the schema.
    """
    top = root.value
    vesicles = top.get("vesicles") if isinstance(top, dict) else None
    if not isinstance(top, dict) or vesicles is None or not isinstance(vesicles.value, dict):
        return root
    shared = {name: donors for name, block in vesicles.value.items() if (donors := _donors(block))}
    pools: dict[str, Node] = {}
    for name, block in vesicles.value.items():
        for donor in shared.get(name, ()):
            own = f"{donor.value}_{name}"
            single = Node({"donor": donor}, block.mark, block.key_mark)
            pools[own] = lay_over(lay_over(block, single), pools.get(own, single))
        if name not in shared:
            pools[name] = lay_over(pools[name], block) if name in pools else block
    return Node({**top, "vesicles": Node(pools, vesicles.mark, vesicles.key_mark)}, root.mark, root.key_mark)


def _donors(block: Node) -> list[Node]:
    """Return the donors of a block that lists them, none of one that does not."""
    donor = block.value.get("donor") if isinstance(block.value, dict) else None
    if donor is None or not isinstance(donor.value, list):
        return []
    return donor.value if all(isinstance(item.value, str) for item in donor.value) else []

"""Chooses the endpoint with the fewest connections for its weight; among equals they take turns."""

from functools import cache

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import log
from wit_world.imports.types import ConfigError, Endpoint


@cache  # for every call componentize-py makes a Balancer: this way it gets the same one, and `self` keeps what it knows
class Balancer(exports.Balancer):
    def configure(self, config: str, endpoints: list[Endpoint]) -> None:
        if config not in ("null", "{}"):
            # A list of faults is raised: where in the configuration, and what is wrong.
            raise Err([ConfigError(path="", message=f"expected no configuration, found {config}")])
        self.weights = [endpoint.weight for endpoint in endpoints]  # of every endpoint, by its id
        self.last = -1  # id of the latest choice
        log.log(log.Level.INFO, f"balances {len(endpoints)} endpoints")

    def pick(self, eligible: list[int], busy: list[int], affinity: int | None) -> int | None:
        """`eligible`: ids, ascending; `busy`: connections of each. Returns an id of them, not an index, or None."""
        # (busy + 1) / weight; among equals first the ids after the latest choice, then those up to it
        ranks = (((held + 1) / self.weights[id], id <= self.last, id) for id, held in zip(eligible, busy))
        _, _, self.last = min(ranks)
        return self.last

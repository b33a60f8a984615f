"""Routes by host as the configuration says, else by the first segment of the path: /chat/room goes to the cluster chat.

Configuration: {"hosts": {"chat.example.com": "chat"}}. Without one it is the list of [[route]], which is ignored.
"""

import json
from functools import cache

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.router import Decision, Decision_Forward, Decision_Unmatched, Target
from wit_world.imports import log
from wit_world.imports.types import ConfigError, RequestLine


@cache  # for every call componentize-py makes a Router: this way it gets the same one, and `self` keeps what it knows
class Router(exports.Router):
    def configure(self, config: str, clusters: list[str]) -> None:
        settings = json.loads(config) or {}
        self.names = {name: index for index, name in enumerate(clusters)}  # index of a cluster by its name
        self.hosts: dict[str, int] = {}  # and by host
        if not isinstance(settings, dict):
            raise Err([ConfigError("", f"expected a table, found {config}")])
        unknown = settings.keys() - {"hosts", "routes"}
        faults = [ConfigError(f"/{key}", "expected hosts and nothing else") for key in sorted(unknown)]
        hosts = settings.get("hosts", {})
        if not isinstance(hosts, dict):
            faults.append(ConfigError("/hosts", "expected a table of hosts"))
            hosts = {}
        for host, cluster in hosts.items():
            if isinstance(cluster, str) and cluster in self.names:
                self.hosts[host.lower()] = self.names[cluster]
            else:
                faults.append(ConfigError(f"/hosts/{host}", f"expected one of {', '.join(clusters)}, found {cluster}"))
        if faults:
            raise Err(faults)
        log.log(log.Level.INFO, f"routes to {len(clusters)} clusters")

    def route(self, request: RequestLine) -> Decision:
        cluster = self.hosts.get(request.host)
        if cluster is None:
            cluster = self.names.get(request.path.split("/")[1])
        if cluster is None:
            return Decision_Unmatched()
        return Decision_Forward(Target(cluster, path=None, route=None))

"""Takes Server out of responses; a redirection to http of the client's own host leads to https if the client uses it.

Configuration: {"remove": ["server", "x-powered-by"]}. Without one it is the list of [[route]], which is ignored.
"""

import json
from functools import cache

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.rewriter import Context, Edit, Edit_Add, Edit_Remove, Edit_Replace
from wit_world.imports import log
from wit_world.imports.types import ConfigError, Scheme


@cache  # for every call componentize-py makes a Rewriter: this way it gets the same one, and `self` keeps what it knows
class Rewriter(exports.Rewriter):
    def configure(self, config: str) -> list[str]:
        settings = json.loads(config) or {}
        if not isinstance(settings, dict):
            raise Err([ConfigError("", f"expected a table, found {config}")])
        unknown = settings.keys() - {"remove", "routes"}
        faults = [ConfigError(f"/{key}", "expected remove and nothing else") for key in sorted(unknown)]
        remove = settings.get("remove", ["server"])
        if not isinstance(remove, list) or not all(isinstance(name, str) for name in remove):
            faults.append(ConfigError("/remove", "expected a list of names of headers"))
        if faults:
            raise Err(faults)
        names = [name.lower() for name in remove]
        log.log(log.Level.INFO, f"removes {', '.join(names)}")
        return list(dict.fromkeys([*names, "location"]))  # the headers to see

    def rewrite(self, context: Context, status: int, headers: list[tuple[str, str]]) -> list[Edit]:
        """`headers`: those that were asked for, names in lower case; edits name them by their index in it."""
        edits: list[Edit] = []
        insecure = f"http://{context.host}/"
        for index, (name, value) in enumerate(headers):
            if name != "location":
                edits.append(Edit_Remove(index))
            elif context.scheme == Scheme.HTTPS and value.startswith(insecure):
                edits.append(Edit_Replace((index, f"https://{context.host}/{value.removeprefix(insecure)}")))
        if 0 < len(edits) < 256:  # 256 edits are the most that the gateway takes
            edits.append(Edit_Add(("x-rewritten-by", "plugin-name")))
        return edits

# The tests are those of the sample: write your own with the logic. For every call componentize-py makes a Router, and
# so do they: what one call is to know of another has to outlive it (@cache, or variables of the module).
import unittest
from unittest.mock import patch

from componentize_py_types import Err
from plugin import Router
from wit_world.exports.router import Decision_Forward, Decision_Unmatched, Target
from wit_world.imports.types import RequestLine, Scheme

CLUSTERS = ["web", "chat"]


def request(host: str, path: str) -> RequestLine:
    return RequestLine("GET", Scheme.HTTP, host, path, query=None, upgrade=None)


def forward(cluster: int) -> Decision_Forward:
    return Decision_Forward(Target(cluster, None, None))


@patch("wit_world.imports.log.log")  # the gateway's log
class TestRouter(unittest.TestCase):
    def configure(self, config: str) -> None:
        Router().configure(config, CLUSTERS)

    def test_the_first_segment_of_the_path_names_the_cluster(self, log):
        self.configure("null")

        self.assertEqual(Router().route(request("example.com", "/chat/room")), forward(1))
        self.assertEqual(Router().route(request("example.com", "/web")), forward(0))

    def test_a_configured_host_comes_before_the_path(self, log):
        self.configure('{"hosts":{"Chat.example.com":"chat"}}')

        self.assertEqual(Router().route(request("chat.example.com", "/web")), forward(1))

    def test_anything_else_is_unmatched(self, log):
        self.configure('{"routes":[]}')

        for path in ("/", "/chats"):
            self.assertEqual(Router().route(request("example.com", path)), Decision_Unmatched())

    def test_a_fault_of_the_configuration_says_where_it_is(self, log):
        with self.assertRaises(Err) as refused:
            self.configure('{"hosts":{"a.example":"cha"},"host":1}')

        self.assertEqual([fault.path for fault in refused.exception.value], ["/host", "/hosts/a.example"])

import unittest
from unittest.mock import patch

from componentize_py_types import Err
from plugin import Router
from wit_world.exports.router import Decision_Forward, Decision_Unmatched, RequestLine, Target
from wit_world.imports.types import Scheme

CLUSTERS = ["web", "chat"]


def request(host: str, path: str) -> RequestLine:
    return RequestLine("GET", Scheme.HTTP, host, path, query=None, upgrade=None)


def forward(cluster: int) -> Decision_Forward:
    return Decision_Forward(Target(cluster, None, None))


@patch("wit_world.imports.log.log")  # the gateway's log
class TestRouter(unittest.TestCase):
    def router(self, config: str) -> Router:
        router = Router()
        router.configure(config, CLUSTERS)
        return router

    def test_the_first_segment_of_the_path_names_the_cluster(self, log):
        router = self.router("null")

        self.assertEqual(router.route(request("example.com", "/chat/room")), forward(1))
        self.assertEqual(router.route(request("example.com", "/web")), forward(0))

    def test_a_configured_host_comes_before_the_path(self, log):
        router = self.router('{"hosts":{"Chat.example.com":"chat"}}')

        self.assertEqual(router.route(request("chat.example.com", "/web")), forward(1))

    def test_anything_else_is_unmatched(self, log):
        router = self.router('{"routes":[]}')

        for path in ("/", "/chats"):
            self.assertEqual(router.route(request("example.com", path)), Decision_Unmatched())

    def test_a_fault_of_the_configuration_says_where_it_is(self, log):
        with self.assertRaises(Err) as refused:
            self.router('{"hosts":{"a.example":"cha"},"host":1}')

        self.assertEqual([fault.path for fault in refused.exception.value], ["/host", "/hosts/a.example"])

# The tests are those of the sample: write your own with the logic. For every call componentize-py makes a Rewriter, and
# so do they: what one call is to know of another has to outlive it (@cache, or variables of the module).
import unittest
from unittest.mock import patch

from componentize_py_types import Err
from plugin import Rewriter
from wit_world.exports.rewriter import Context, Edit_Add, Edit_Remove, Edit_Replace
from wit_world.imports.types import Scheme

MARK = Edit_Add(("x-rewritten-by", "plugin-name"))
HTTP = Context(Scheme.HTTP, "example.com", "/", route=None, endpoint="http://192.0.2.1")
HTTPS = Context(Scheme.HTTPS, "example.com", "/", route=None, endpoint="http://192.0.2.1")


@patch("wit_world.imports.log.log")  # the gateway's log
class TestRewriter(unittest.TestCase):
    def test_asks_for_the_headers_that_it_rewrites(self, log):
        self.assertEqual(Rewriter().configure('{"routes":[]}'), ["server", "location"])
        self.assertEqual(Rewriter().configure('{"remove":["X-Powered-By"]}'), ["x-powered-by", "location"])

    def test_takes_server_out(self, log):
        self.assertEqual(Rewriter().rewrite(HTTP, 200, [("server", "x/1.0")]), [Edit_Remove(0), MARK])

    def test_leads_the_own_host_to_https_where_the_client_uses_it(self, log):
        headers = [("location", "http://example.com/a?b=1")]

        self.assertEqual(
            Rewriter().rewrite(HTTPS, 302, headers), [Edit_Replace((0, "https://example.com/a?b=1")), MARK]
        )
        self.assertEqual(Rewriter().rewrite(HTTP, 302, headers), [])

    def test_leaves_other_hosts_alone(self, log):
        self.assertEqual(Rewriter().rewrite(HTTPS, 302, [("location", "http://example.com.test/")]), [])

    def test_a_fault_of_the_configuration_says_where_it_is(self, log):
        with self.assertRaises(Err) as refused:
            Rewriter().configure('{"remove":"server","zone":"a"}')

        self.assertEqual([fault.path for fault in refused.exception.value], ["/zone", "/remove"])

    def test_stays_within_256_edits(self, log):
        self.assertEqual(len(Rewriter().rewrite(HTTP, 200, [("server", "x")] * 256)), 256)

import unittest
from unittest.mock import patch

from componentize_py_types import Err
from plugin import Balancer
from wit_world.imports.types import Endpoint


@patch("wit_world.imports.log.log")  # the gateway's log
class TestBalancer(unittest.TestCase):
    def balancer(self):
        endpoints = [Endpoint("ws://192.0.2.1", weight, 0, None, []) for weight in (100, 100, 100, 300)]
        balancer = Balancer()
        balancer.configure("null", endpoints)
        return balancer

    def test_the_least_busy_endpoint_wins(self, log):
        self.assertEqual(self.balancer().pick([0, 1, 2], [4, 1, 2], None), 1)

    def test_an_endpoint_of_three_times_the_weight_takes_three_times_as_many(self, log):
        self.assertEqual(self.balancer().pick([0, 3], [1, 4], None), 3)
        self.assertEqual(self.balancer().pick([0, 3], [1, 6], None), 0)

    def test_equals_take_turns_and_the_choice_is_an_id(self, log):
        balancer = self.balancer()
        balancer.pick([0, 1], [9, 0], None)  # chooses 1

        self.assertEqual([balancer.pick([0, 2], [0, 0], None) for _ in range(3)], [2, 0, 2])

    def test_a_configuration_is_refused(self, log):
        with self.assertRaises(Err) as refused:
            Balancer().configure('{"zone":"a"}', [])

        (fault,) = refused.exception.value
        self.assertEqual(fault.path, "")
        self.assertIn("zone", fault.message)

    def test_configure_writes_a_line_to_the_log(self, log):
        self.balancer()

        self.assertEqual(log.call_args.args[1], "balances 4 endpoints")

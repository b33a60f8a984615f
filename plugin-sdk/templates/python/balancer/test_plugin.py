# The tests are those of the sample: write your own with the logic. For every call componentize-py makes a Balancer, and
# so do they: what one call is to know of another has to outlive it (@cache, or variables of the module).
import unittest
from unittest.mock import patch

from componentize_py_types import Err
from plugin import Balancer
from wit_world.imports.types import Endpoint


class TestBalancer(unittest.TestCase):
    def setUp(self):
        endpoints = [Endpoint("ws://192.0.2.1", weight, 0, None, []) for weight in (100, 100, 100, 300)]
        with patch("wit_world.imports.log.log") as self.log:  # the gateway's log
            Balancer().configure("null", endpoints)

    def test_the_least_busy_endpoint_wins(self):
        self.assertEqual(Balancer().pick([0, 1, 2], [4, 1, 2], None), 1)

    def test_an_endpoint_of_three_times_the_weight_takes_three_times_as_many(self):
        self.assertEqual(Balancer().pick([0, 3], [1, 4], None), 3)
        self.assertEqual(Balancer().pick([0, 3], [1, 6], None), 0)

    def test_equals_take_turns_and_the_choice_is_an_id(self):
        Balancer().pick([0, 1], [9, 0], None)  # chooses 1

        self.assertEqual([Balancer().pick([0, 2], [0, 0], None) for _ in range(3)], [2, 0, 2])

    def test_a_configuration_is_refused(self):
        with self.assertRaises(Err) as refused:
            Balancer().configure('{"zone":"a"}', [])

        (fault,) = refused.exception.value
        self.assertEqual(fault.path, "")
        self.assertIn("zone", fault.message)

    def test_configure_writes_a_line_to_the_log(self):
        self.assertEqual(self.log.call_args.args[1], "balances 4 endpoints")

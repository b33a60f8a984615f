"""Subscribes and publishes over wss://localhost:PORT/mqtt, and prints what came. Arguments: port, file of the CA."""

import sys
import threading

import paho.mqtt.client as mqtt

port, ca = int(sys.argv[1]), sys.argv[2]
came, subscribed = [], threading.Event()
done = threading.Event()


def client(name):
    it = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, transport="websockets", protocol=mqtt.MQTTv5)
    it.ws_set_options(path="/mqtt")
    it.tls_set(ca_certs=ca)
    it.connect("localhost", port)
    it.loop_start()
    return it


def on_message(_client, _data, message):
    came.append(message.payload.decode())
    if len(came) == 3:
        done.set()


subscriber = client("subscriber")
subscriber.on_message = on_message
subscriber.on_subscribe = lambda *_: subscribed.set()
subscriber.subscribe("rooms/#", qos=1)
assert subscribed.wait(20), "not subscribed in time"
publisher = client("publisher")
for word in ["one", "two", "three"]:
    publisher.publish("rooms/7", word, qos=1).wait_for_publish(20)
assert done.wait(20), f"only {came} came in time"
print(",".join(came))
for it in [publisher, subscriber]:
    it.disconnect()
    it.loop_stop()

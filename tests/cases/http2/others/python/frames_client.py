"""A client on the h2 package, which is strict about what it gets. Counts how a gateway hands out windows.

    python frames_client.py PORT

Uploads more than any window in one stream, beside one that the endpoint never reads; says `ok WHAT`.
"""

import json
import socket
import sys

import h2.config
import h2.connection
import h2.events

UPLOAD = 3 << 20

sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=30)
connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
connection.initiate_connection()
sock.sendall(connection.data_to_send())

updates = {"stream": 0, "connection": 0, "credit": 0}
bodies, ended = {}, set()


def ok(what, is_so, detail=None):
    if not is_so:
        sys.exit(f"failed: {what}: {detail!r}")
    print(f"ok {what}", flush=True)


def work():
    """Reads once, and acts on what came."""
    received = sock.recv(65536)
    if not received:
        sys.exit("failed: the connection ended")
    for event in connection.receive_data(received):
        if isinstance(event, h2.events.WindowUpdated):
            updates["stream" if event.stream_id else "connection"] += 1
            if event.stream_id == 0:
                updates["credit"] += event.delta
        elif isinstance(event, h2.events.DataReceived):
            bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
            connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            ended.add(event.stream_id)
        elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
            sys.exit(f"failed: {event}")
    sock.sendall(connection.data_to_send())


def request(stream, method, path, end):
    fields = [(":method", method), (":scheme", "http"), (":authority", "gateway.test"), (":path", path)]
    connection.send_headers(stream, fields, end_stream=end)
    sock.sendall(connection.data_to_send())


# One whose body nobody reads: it gets its window full, and must not take that of others.
while connection.remote_settings.max_concurrent_streams > 1 << 20:
    work()
request(1, "POST", "/never", False)
full = min(connection.local_flow_control_window(1), connection.remote_settings.initial_window_size)
for _ in range(full // 16384):
    connection.send_data(1, b"n" * 16384)
    sock.sendall(connection.data_to_send())

request(3, "POST", "/", False)
left = UPLOAD
while left:
    room = min(connection.local_flow_control_window(3), connection.max_outbound_frame_size, left)
    if room == 0:
        work()
        continue
    connection.send_data(3, b"u" * room, end_stream=room == left)
    sock.sendall(connection.data_to_send())
    left -= room
while 3 not in ended:
    work()
ok("the upload arrived", len(json.loads(bodies[3])["body"]) == UPLOAD)
# A window for every 4 KiB or more of it: not one for every small piece.
ok("few WINDOW_UPDATEs", updates["stream"] + updates["connection"] < UPLOAD // 4096, updates)
request(5, "GET", "/", True)
while 5 not in ended:
    work()
ok("another request beside the one that waits", len(bodies[5]) > 0)
connection.close_connection()
sock.sendall(connection.data_to_send())
print("done", flush=True)

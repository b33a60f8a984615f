"""A gRPC server of grpcio without generated code: messages are bytes.

    python grpc_endpoint.py            plain
    python grpc_endpoint.py CERT KEY   TLS

Says `listening PORT`, and then a line of what happens to calls.
"""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc


def say(line):
    print(line, flush=True)


def unary(request, context):
    metadata = dict(context.invocation_metadata())
    context.send_initial_metadata((("x-initial", metadata.get("x-sent", "-")),))
    context.set_trailing_metadata((("x-trailing", "t"), ("x-data-bin", metadata.get("x-data-bin", b""))))
    return request


def fails(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this: 100 % \u00e4")


def empty(request, context):
    return b""


def counts(request, context):
    for number in range(int(request)):
        yield str(number).encode()


def sums(requests, context):
    return str(sum(len(request) for request in requests)).encode()


def echoes(requests, context):
    context.add_callback(lambda: say("ended echoes"))
    say("begun echoes")
    for request in requests:
        yield request


def waits(request, context):
    ended = threading.Event()
    context.add_callback(ended.set)
    say("begun waits")
    ended.wait(30)
    say("ended waits")
    return b""


def health(request, context):
    # grpc.health.v1.HealthCheckResponse { status: SERVING }
    return b"\x08\x01"


HANDLERS = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Fails": grpc.unary_unary_rpc_method_handler(fails),
    "Empty": grpc.unary_unary_rpc_method_handler(empty),
    "Counts": grpc.unary_stream_rpc_method_handler(counts),
    "Sums": grpc.stream_unary_rpc_method_handler(sums),
    "Echoes": grpc.stream_stream_rpc_method_handler(echoes),
    "Waits": grpc.unary_unary_rpc_method_handler(waits),
}

LARGE = 64 << 20
OPTIONS = [
    ("grpc.max_receive_message_length", LARGE),
    ("grpc.max_send_message_length", LARGE),
    ("grpc.http2.min_ping_interval_without_data_ms", 10),
    ("grpc.http2.max_ping_strikes", 0),
]

server = grpc.server(ThreadPoolExecutor(16), options=OPTIONS)
checks = {"Check": grpc.unary_unary_rpc_method_handler(health)}
server.add_generic_rpc_handlers((
    grpc.method_handlers_generic_handler("test.Test", HANDLERS),
    grpc.method_handlers_generic_handler("grpc.health.v1.Health", checks),
))
if len(sys.argv) > 1:
    certificate, key = (open(path, "rb").read() for path in sys.argv[1:])
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([(key, certificate)]))
else:
    port = server.add_insecure_port("127.0.0.1:0")
server.start()
say(f"listening {port}")
server.wait_for_termination()

"""A gRPC client of grpcio, against a gateway before grpc_endpoint.py.

    python grpc_client.py ADDRESS CA|- SCENE

Says `ok WHAT` of each thing that is as it should be.
"""

import queue
import sys

import grpc

address, ca, scene = sys.argv[1:]

LARGE = 64 << 20
OPTIONS = [
    ("grpc.max_receive_message_length", LARGE),
    ("grpc.max_send_message_length", LARGE),
    ("grpc.enable_retries", 0),
]
if scene == "keepalive":
    OPTIONS += [
        ("grpc.keepalive_time_ms", 1000),
        ("grpc.keepalive_timeout_ms", 5000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_time_between_pings_ms", 1000),
    ]
if ca == "-":
    channel = grpc.insecure_channel(address, OPTIONS)
else:
    credentials = grpc.ssl_channel_credentials(open(ca, "rb").read())
    channel = grpc.secure_channel(address, credentials, [*OPTIONS, ("grpc.ssl_target_name_override", "localhost")])

unary = channel.unary_unary("/test.Test/Unary")
echoes = channel.stream_stream("/test.Test/Echoes")
WITHIN = 30


def ok(what, is_so, detail=None):
    if not is_so:
        sys.exit(f"failed: {what}: {detail!r}")
    print(f"ok {what}", flush=True)


def error(call):
    try:
        call()
    except grpc.RpcError as found:
        return found
    return None


class Stream:
    """Echoes that are under way."""

    def __init__(self):
        self.outgoing = queue.Queue()
        self.call = echoes(iter(self.outgoing.get, None), timeout=120)

    def echo(self, message):
        self.outgoing.put(message)
        back = next(self.call)
        if back != message:
            sys.exit(f"failed: echo of {message[:80]!r}: {back[:80]!r}")

    def end(self):
        self.outgoing.put(None)
        return list(self.call), self.call.code()


def calls():
    metadata = (("x-sent", "a"), ("x-data-bin", bytes(range(256))))
    back, call = unary.with_call(b"hello", metadata=metadata, timeout=WITHIN)
    ok("unary", back == b"hello", back)
    ok("initial metadata", dict(call.initial_metadata()).get("x-initial") == "a", call.initial_metadata())
    trailing = dict(call.trailing_metadata())
    ok("trailing metadata", trailing.get("x-trailing") == "t", trailing)
    ok("binary metadata", trailing.get("x-data-bin") == bytes(range(256)), trailing)
    ok("an empty message", channel.unary_unary("/test.Test/Empty")(b"", timeout=WITHIN) == b"")
    large = bytes(range(256)) * (8 << 12)
    ok("8 MiB", unary(large, timeout=WITHIN) == large)

    counts = channel.unary_stream("/test.Test/Counts")(b"500", timeout=WITHIN)
    ok("server streaming", [int(each) for each in counts] == list(range(500)))
    sums = channel.stream_unary("/test.Test/Sums")(iter([b"x" * 1000] * 300), timeout=WITHIN)
    ok("client streaming", sums == b"300000", sums)
    stream = Stream()
    for number in range(100):
        stream.echo(b"%d" % number)
    rest, code = stream.end()
    ok("streaming both ways", rest == [] and code == grpc.StatusCode.OK, (rest, code))

    failed = error(lambda: channel.unary_unary("/test.Test/Fails")(b"", timeout=WITHIN))
    is_so = failed.code() == grpc.StatusCode.FAILED_PRECONDITION and "100 % \u00e4" in failed.details()
    ok("an error of the server", is_so, failed)
    unknown = error(lambda: channel.unary_unary("/test.Test/Unknown")(b"", timeout=WITHIN))
    ok("a method that is not there", unknown.code() == grpc.StatusCode.UNIMPLEMENTED, unknown)
    health = channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=WITHIN)
    ok("health", health == b"\x08\x01", health)


def many():
    running = [unary.future(b"%d" % number, timeout=WITHIN) for number in range(400)]
    ok("many at once", [call.result() for call in running] == [b"%d" % number for number in range(400)])


def deadline():
    late = error(lambda: channel.unary_unary("/test.Test/Waits")(b"", timeout=0.5))
    ok("deadline", late.code() == grpc.StatusCode.DEADLINE_EXCEEDED, late)


def cancel():
    stream = Stream()
    stream.echo(b"first")
    stream.call.cancel()
    ok("cancelled", error(lambda: next(stream.call)).code() == grpc.StatusCode.CANCELLED)
    ok("afterwards", unary(b"x", timeout=WITHIN) == b"x")


def held():
    """A stream that stays while the test does something to the gateway: `go` on standard input goes on."""
    stream = Stream()
    stream.echo(b"before")
    print("open", flush=True)
    for _ in iter(lambda: sys.stdin.readline().strip() == "go", False):
        stream.echo(b"between")
        ok("between", unary(b"x", timeout=WITHIN) == b"x")
    rest, code = stream.end()
    ok("the stream ends well", rest == [] and code == grpc.StatusCode.OK, (rest, code))


def keepalive():
    """Open without a message for as long as it takes to ping more often than is usual."""
    held()


def nobody():
    failed = error(lambda: unary(b"x", timeout=WITHIN))
    ok("nobody is there", failed.code() == grpc.StatusCode.UNAVAILABLE, failed)


globals()[scene]()
print("done", flush=True)

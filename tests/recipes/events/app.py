"""Server-sent events, counted on from `Last-Event-ID`: one on every open stream each time that anybody POSTs to /step.

It says its address on its first line, and to whoever opens a stream.
"""

import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

streams = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        count = int(self.headers.get("Last-Event-ID", 0))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        steps = queue.SimpleQueue()
        streams.append(steps)
        try:
            self.piece(": hello from %s:%d\n\n" % self.server.server_address)
            while True:
                try:
                    steps.get(timeout=15)
                    count += 1
                    self.piece(f"id: {count}\ndata: number {count}\n\n")
                except queue.Empty:
                    # The connection is in use, and a client that has left is noticed.
                    self.piece(": still here\n\n")
        except OSError:
            self.close_connection = True
        finally:
            streams.remove(steps)

    def do_POST(self):
        for steps in list(streams):
            steps.put(None)
        self.send_response(204)
        self.end_headers()

    def piece(self, text):
        self.wfile.write(f"{len(text):x}\r\n{text}\r\n".encode())
        self.wfile.flush()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("%s:%d" % server.server_address, flush=True)
server.serve_forever()

"""Tests Caddy with the Caddyfile of Compose: TLS, streaming and server restarts."""

import contextlib
import http.server
import os
import re
import socket
import socketserver
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path

from compose import DEPLOY
from test_documents import TOOLS

# Maximum duration of a step, in seconds.
PATIENCE = 20
# Path of Caddy's root certificate below its home folder.
AUTHORITY = ".local/share/caddy/pki/authorities/local/root.crt"


class Upstream(http.server.BaseHTTPRequestHandler):
    """Replaces the server: sends an event, and a second one after the first was read."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.server.read.wait(PATIENCE)
        self.wfile.write(b"data: second\n\n")

    def log_message(self, *_):
        pass


def start_caddy(test, folder, host, upstream, names=None):
    """Starts Caddy with the file, with replaced Docker names and ports and local certificates.

    Servers are found by the name that Docker gives them where `names`, the port of a resolver, is told.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    test.addCleanup(listener.close)
    text = (DEPLOY / "compose/Caddyfile").read_text()
    if names:
        text, replaced = re.subn(r"port 8080\n(.*)resolvers 127.0.0.11\n",
                                 rf"port {upstream}\n\1resolvers 127.0.0.1:{names}\n", text, flags=re.S)
    else:
        text, replaced = re.subn(r"dynamic a \{.*?\n\t\t\}", f"to 127.0.0.1:{upstream}", text, flags=re.S)
    test.assertEqual(replaced, 1)
    # Drop the health check endpoint, because its fixed port could be in use here.
    text = text.split("# Endpoint for the health check of the container.")[0]
    text = text.replace("admin off\n", "admin off\n\tauto_https disable_redirects\n\tlocal_certs\n", 1)
    # HTTP/3 needs another socket.
    text = text.replace("servers {\n", "servers {\n\t\tprotocols h1 h2\n", 1)
    text = text.replace("{$MCP_HOST} {\n", f"{{$MCP_HOST}} {{\n\tbind fd/{listener.fileno()}\n", 1)
    (folder / "Caddyfile").write_text(text)
    with (folder / "log").open("w") as log:
        caddy = subprocess.Popen(
            [TOOLS / "caddy", "run", "--adapter", "caddyfile", "--config", folder / "Caddyfile"],
            env={"HOME": str(folder), "MCP_HOST": host, "PATH": os.defpath},
            pass_fds=[listener.fileno()],
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    test.addCleanup(caddy.wait, PATIENCE)
    test.addCleanup(caddy.terminate)
    return caddy, listener.getsockname()[1]


class Names(socketserver.BaseRequestHandler):
    """Replaces Docker's resolver: `server` resolves to loopback while it runs, otherwise to no address."""

    def handle(self):
        data, answers = self.request
        end = data.index(b"\0", 12) + 5
        is_a = data[end - 4:end - 2] == b"\0\1"
        there = self.server.there.is_set()
        if not there:
            self.server.missed.append(time.monotonic())
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 0, 4) + socket.inet_aton("127.0.0.1")
        head = data[:2] + struct.pack("!HHHHH", 0x8180 if there else 0x8183, 1, there and is_a, 0, 0)
        answers.sendto(head + data[12:end] + (record if there and is_a else b""), self.client_address)


class Tls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def serve(self, port=0):
        """Starts a server. Returns it with a function that stops it."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Upstream)
        server.seen, server.read = [], threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()

        def end():
            server.shutdown()
            server.server_close()

        return server, end

    def start(self, upstream, names=None):
        self.caddy, self.port = start_caddy(self, self.folder, "localhost", upstream.server_port, names)

    def connect(self):
        """Returns a connection that trusts only this Caddy, after it has created its certificate."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                context = ssl.create_default_context(cafile=self.folder / AUTHORITY)
                connection = HTTPSConnection("localhost", self.port, context=context, timeout=PATIENCE)
                connection.connect()
                return connection
            except (OSError, ssl.SSLError) as error:
                said = f"{error}: {(self.folder / 'log').read_text()}"
                self.assertIsNone(self.caddy.poll(), said)
                self.assertLess(time.monotonic(), until, said)
                time.sleep(0.05)

    def test_events_are_not_buffered(self):
        upstream, end = self.serve()
        self.addCleanup(end)
        self.start(upstream)
        connection = self.connect()
        self.addCleanup(connection.close)
        headers = {"Accept-Encoding": "gzip", "X-Forwarded-For": "203.0.113.9"}
        connection.request("POST", "/mcp", b"{}", headers)
        answer = connection.getresponse()
        # A buffering proxy would wait here, because the second event follows after the first is read.
        self.assertEqual(answer.readline(), b"data: first\n")
        upstream.read.set()
        self.assertEqual(answer.read(), b"\ndata: second\n\n")
        self.assertTrue(answer.getheader("Strict-Transport-Security"))
        [seen] = upstream.seen
        # Clients cannot set these headers.
        self.assertEqual(seen["X-Forwarded-For"], "127.0.0.1")
        self.assertEqual(seen["X-Forwarded-Proto"], "https")
        self.assertEqual(seen["Host"], f"localhost:{self.port}")

    def test_request_during_restart_waits(self):
        names = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Names)
        names.there, names.missed = threading.Event(), []
        threading.Thread(target=names.serve_forever, daemon=True).start()
        self.addCleanup(names.server_close)
        self.addCleanup(names.shutdown)
        first, end = self.serve()
        first.read.set()
        names.there.set()
        self.start(first, names.server_address[1])
        self.assertEqual(self.ask(), 200)
        # An upgrade: the old server stops, and its name no longer resolves.
        end()
        names.there.clear()
        with ThreadPoolExecutor() as pool:
            asked = pool.submit(self.ask)
            until = time.monotonic() + PATIENCE
            # Caddy retries the name until the new server resolves.
            while not names.missed or names.missed[-1] - names.missed[0] < 5.5:
                self.assertFalse(asked.done(), asked.done() and asked.result())
                self.assertLess(time.monotonic(), until)
                time.sleep(0.05)
            second, end = self.serve(first.server_port)
            self.addCleanup(end)
            second.read.set()
            names.there.set()
            self.assertEqual(asked.result(PATIENCE), 200)
        self.assertEqual((len(first.seen), len(second.seen)), (1, 1))

    def ask(self):
        """Returns the status of a complete response."""
        with contextlib.closing(self.connect()) as connection:
            connection.request("POST", "/mcp", b"{}")
            answer = connection.getresponse()
            answer.read()
            return answer.status


if __name__ == "__main__":
    unittest.main()

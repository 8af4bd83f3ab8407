"""Caddy, with the file of the compose folder, ends TLS and keeps nothing back."""

import http.server
import os
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import unittest
from http.client import HTTPSConnection
from pathlib import Path

from compose import DEPLOY
from test_documents import TOOLS

# How long anything here may take.
PATIENCE = 20


class Upstream(http.server.BaseHTTPRequestHandler):
    """In place of the server: an event now, and one more once the first was read."""

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


class Tls(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        self.upstream.seen, self.upstream.read = [], threading.Event()
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.addCleanup(self.upstream.server_close)
        self.addCleanup(self.upstream.shutdown)
        self.port = self.start_caddy()

    def start_caddy(self):
        """The file as it is, but for names and ports that only Docker has."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        text = (DEPLOY / "compose/Caddyfile").read_text()
        upstream = f"to 127.0.0.1:{self.upstream.server_port}"
        text, replaced = re.subn(r"dynamic a \{.*?\n\t\t\}", upstream, text, flags=re.S)
        self.assertEqual(replaced, 1)
        # Its own health check has a port of its own; here nobody asks.
        text = text.split("# For the container's own health check.")[0]
        text = text.replace("admin off\n", "admin off\n\tauto_https disable_redirects\n", 1)
        # HTTP/3 wants a socket of its own.
        text = text.replace("servers {\n", "servers {\n\t\tprotocols h1 h2\n", 1)
        text = text.replace("{$MCP_HOST} {\n", f"{{$MCP_HOST}} {{\n\tbind fd/{listener.fileno()}\n", 1)
        (self.folder / "Caddyfile").write_text(text)
        with (self.folder / "log").open("w") as log:
            self.caddy = subprocess.Popen(
                [TOOLS / "caddy", "run", "--adapter", "caddyfile", "--config", self.folder / "Caddyfile"],
                env={"HOME": str(self.folder), "MCP_HOST": "localhost", "PATH": os.defpath},
                pass_fds=[listener.fileno()],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.addCleanup(self.caddy.wait, PATIENCE)
        self.addCleanup(self.caddy.terminate)
        return listener.getsockname()[1]

    def connect(self):
        """A connection that trusts the authority of this Caddy alone, once that has made a certificate."""
        root, until = self.folder / ".local/share/caddy/pki/authorities/local/root.crt", time.monotonic() + PATIENCE
        while True:
            try:
                context = ssl.create_default_context(cafile=root)
                connection = HTTPSConnection("localhost", self.port, context=context, timeout=PATIENCE)
                connection.connect()
                return connection
            except (OSError, ssl.SSLError) as error:
                said = f"{error}: {(self.folder / 'log').read_text()}"
                self.assertIsNone(self.caddy.poll(), said)
                self.assertLess(time.monotonic(), until, said)
                time.sleep(0.05)

    def test_events_come_as_they_are_said(self):
        connection = self.connect()
        self.addCleanup(connection.close)
        headers = {"Accept-Encoding": "gzip", "X-Forwarded-For": "203.0.113.9"}
        connection.request("POST", "/mcp", b"{}", headers)
        answer = connection.getresponse()
        # Caddy would wait here for the second one, which waits for the first to be read.
        self.assertEqual(answer.readline(), b"data: first\n")
        self.upstream.read.set()
        self.assertEqual(answer.read(), b"\ndata: second\n\n")
        self.assertTrue(answer.getheader("Strict-Transport-Security"))
        [seen] = self.upstream.seen
        # Nobody says for themselves where they come from.
        self.assertEqual(seen["X-Forwarded-For"], "127.0.0.1")
        self.assertEqual(seen["X-Forwarded-Proto"], "https")
        self.assertEqual(seen["Host"], f"localhost:{self.port}")


if __name__ == "__main__":
    unittest.main()

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
# Where Caddy has the certificate of its own authority, below its home.
AUTHORITY = ".local/share/caddy/pki/authorities/local/root.crt"


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


def start_caddy(test, folder, host, upstream):
    """Caddy with the file as it is, but for names and ports that only Docker has, and its own certificates."""
    listener = socket.create_server(("127.0.0.1", 0))
    test.addCleanup(listener.close)
    text = (DEPLOY / "compose/Caddyfile").read_text()
    text, replaced = re.subn(r"dynamic a \{.*?\n\t\t\}", f"to 127.0.0.1:{upstream}", text, flags=re.S)
    test.assertEqual(replaced, 1)
    # Its own health check has a port of its own; here nobody asks.
    text = text.split("# For the container's own health check.")[0]
    text = text.replace("admin off\n", "admin off\n\tauto_https disable_redirects\n\tlocal_certs\n", 1)
    # HTTP/3 wants a socket of its own.
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
        self.caddy, self.port = start_caddy(self, self.folder, "localhost", self.upstream.server_port)

    def connect(self):
        """A connection that trusts the authority of this Caddy alone, once that has made a certificate."""
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

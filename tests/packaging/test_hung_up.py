"""A client that gives up is no failure of the server, and wakes nobody."""

import json
import re
import socket
import subprocess
import time
import unittest
import urllib.request

from test_dashboard import OPENER, PATIENCE, free
from test_settings import BINARY

CALL = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                   "params": {"name": "list_spaces", "arguments": {}}}).encode()
COUNTED = re.compile(r'^mcp_server_operation_duration_seconds_count\{.*error_type="([^"]+)".*\} (\d+)$', re.M)


class HungUp(unittest.TestCase):
    def setUp(self):
        # In place of an Octopus, and never answers.
        self.octopus = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.octopus.close)
        self.octopus.settimeout(PATIENCE)
        self.admin = free()
        environment = {"OCTOPUS_MCP_HTTP__ADMIN_LISTEN": f"127.0.0.1:{self.admin}"}
        url = f"http://127.0.0.1:{self.octopus.getsockname()[1]}"
        command = [BINARY, "serve", "--server-url", url, "--listen", "127.0.0.1:0"]
        program = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.addCleanup(program.stdout.close)
        self.addCleanup(program.wait, PATIENCE)
        self.addCleanup(program.terminate)
        self.port = int(re.search(r":(\d+)/mcp", program.stdout.readline())[1])

    def counted(self):
        """Why operations came to nothing, and how often."""
        with OPENER.open(urllib.request.Request(f"http://127.0.0.1:{self.admin}/metrics"), timeout=PATIENCE) as answer:
            return {why: int(times) for why, times in COUNTED.findall(answer.read().decode())}

    def test_is_counted_under_a_name_of_its_own(self):
        head = (f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nContent-Type: application/json\r\n"
                "Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2025-11-25\r\n"
                f"X-Octopus-ApiKey: API-{'A' * 30}\r\nContent-Length: {len(CALL)}\r\n\r\n")
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
            client.sendall(head.encode() + CALL)
            # The call has reached Octopus, and waits there.
            asked, _ = self.octopus.accept()
        self.addCleanup(asked.close)
        until = time.monotonic() + PATIENCE
        while not (counted := self.counted()):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.05)
        self.assertEqual(counted, {"cancelled": 1})


if __name__ == "__main__":
    unittest.main()

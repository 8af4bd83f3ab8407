"""Runs commands like a container of the image: with a read-only root folder, loopback only, an unprivileged user
and no capabilities. Called through `unshare --mount --net`.

Arguments: the root folder, user:group, and as JSON the environment, the server command, the health check command,
and the volumes by mount point. A volume gets the owner and mode of its mount point, like a new volume of a container
engine. Prints the results as JSON.
"""

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time

TIMEOUT = 20
LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18


def mount(source, target, flags):
    """Calls mount(2) for a bind mount."""
    if LIBC.mount(source and source.encode(), target.encode(), None, flags, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def loopback():
    """Enables the loopback interface of the new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", asked)[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def confine(root, user, group):
    """Returns the function that a new process runs before its program starts."""

    def enter():
        os.chroot(root)
        os.chdir("/")
        for capability in range(64):
            LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
        LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)

    return enter


def main():
    """Starts the server, waits until the health check succeeds, and stops the server."""
    root, who, environment, serve, ask, volumes = sys.argv[1], sys.argv[2], *map(json.loads, sys.argv[3:7])
    user, group = map(int, who.split(":"))
    loopback()
    mount(None, "/", MS_REC | MS_PRIVATE)
    mount(root, root, MS_BIND | MS_REC)
    mount(None, root, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    for place, volume in volumes.items():
        there = os.stat(root + place)
        os.chown(volume, there.st_uid, there.st_gid)
        os.chmod(volume, there.st_mode)
        mount(volume, root + place, MS_BIND)

    def start(command, **how):
        return subprocess.Popen(command, env=environment, preexec_fn=confine(root, user, group), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)

    def well():
        asked = start(ask)
        return asked.communicate(timeout=TIMEOUT)[0], asked.returncode

    before = well()[1]
    server = start(serve)
    until = time.monotonic() + TIMEOUT
    said, after = well()
    while after and server.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        said, after = well()
    status = open(f"/proc/{server.pid}/status").read() if server.poll() is None else ""
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    output = server.communicate(timeout=TIMEOUT)[0]
    writable = start(["/usr/local/bin/touch", "/written"])
    writable.communicate(timeout=TIMEOUT)
    print(json.dumps({
        "before": before, "after": after, "said": said, "status": status, "ended": server.returncode,
        "stopping": time.monotonic() - began, "output": output, "touch": writable.returncode,
    }))


if __name__ == "__main__":
    main()

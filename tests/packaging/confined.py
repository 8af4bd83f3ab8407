"""Runs commands as a container of the image would: in a root folder of their own that is read-only, with
no network but loopback, as nobody, without rights. Called through `unshare --mount --net`.

Arguments: the root folder, user:group, the environment, the command to serve with, the one that asks whether all is
well, and the folders in the root in whose place there is a volume; the last four as JSON. A volume has the owner of
the folder in whose place it is, as an engine makes a new one. Prints as JSON what came of it.
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

PATIENCE = 20
LIBC = ctypes.CDLL(None, use_errno=True)
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18


def mount(source, target, flags):
    """mount(2), for binds."""
    if LIBC.mount(source and source.encode(), target.encode(), None, flags, None):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), target)


def loopback():
    """Brings it up in a network that is new."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = fcntl.ioctl(any_socket, SIOCGIFFLAGS, struct.pack("16sH14x", b"lo", 0))
        flags = struct.unpack("16sH14x", asked)[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def confine(root, user, group):
    """What happens in a new process before its program starts."""

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
    """Serves, asks until all is well, stops."""
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
        return asked.communicate(timeout=PATIENCE)[0], asked.returncode

    before = well()[1]
    server = start(serve)
    until = time.monotonic() + PATIENCE
    said, after = well()
    while after and server.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        said, after = well()
    status = open(f"/proc/{server.pid}/status").read() if server.poll() is None else ""
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    output = server.communicate(timeout=PATIENCE)[0]
    writable = start(["/usr/local/bin/touch", "/written"])
    writable.communicate(timeout=PATIENCE)
    print(json.dumps({
        "before": before, "after": after, "said": said, "status": status, "ended": server.returncode,
        "stopping": time.monotonic() - began, "output": output, "touch": writable.returncode,
    }))


if __name__ == "__main__":
    main()

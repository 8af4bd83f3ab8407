"""Runs the commands of a container image like a container engine: with loopback only, an unprivileged user, no
capabilities and usually a read-only root folder. Called through `unshare` with an own namespace for mounts, network and
processes.

Argument: a JSON object with
  root         the root folder of the image
  user         USER:GROUP, as numbers
  environment  the environment of the commands
  serve        the command of the server
  health       the command of the health check
  volumes      folders by mount point; each gets the owner and mode of its mount point, like a new volume
  programs     programs of this machine by the path of the program that they replace
  read_only    whether the root folder is mounted read-only
  octopus      the command of a sample instance, which prints its URL, or null; {octopus} in a value of `environment`
               becomes this URL
  requests     a list of URLs with headers and a JSON body, sent to the running server
Prints the results as a JSON object.
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
import urllib.error
import urllib.request

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


def attempts():
    """Tries to create a file in every folder and to open every file for writing. Returns the paths where it works."""
    allowed = []
    for folder, _, files in os.walk("/"):
        new = os.path.join(folder, ".attempt")
        for path, flags in [(new, os.O_CREAT | os.O_EXCL), *((os.path.join(folder, name), 0) for name in files)]:
            try:
                os.close(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | flags))
            except OSError:
                continue
            if path == new:
                os.unlink(path)
            allowed.append(folder if path == new else path)
    return sorted(allowed)


def confined_attempts(enter):
    """Returns the result of `attempts` in a confined process."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        enter()
        os.write(writer, json.dumps(attempts()).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as result:
        allowed = json.loads(result.read())
    os.waitpid(child, 0)
    return allowed


def files(root):
    """Returns every file and folder below the root folder with its size and the time of its last change."""
    every = (os.path.join(folder, name) for folder, folders, names in os.walk(root) for name in folders + names)
    return {path.removeprefix(root): (os.lstat(path).st_size, os.lstat(path).st_mtime_ns) for path in every}


def send(url, headers, body):
    """Sends a request. Returns the status and the body of the response."""
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=TIMEOUT) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def main():
    """Starts the server, waits until the health check succeeds, sends the requests and stops the server."""
    given = json.loads(sys.argv[1])
    root, environment = given["root"], given["environment"]
    enter = confine(root, *map(int, given["user"].split(":")))
    loopback()
    mount(None, "/", MS_REC | MS_PRIVATE)
    mount(root, root, MS_BIND | MS_REC)
    if given["read_only"]:
        mount(None, root, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    for place, program in given["programs"].items():
        mount(program, root + place, MS_BIND)
    for place, volume in given["volumes"].items():
        there = os.stat(root + place)
        os.chown(volume, there.st_uid, there.st_gid)
        os.chmod(volume, there.st_mode)
        mount(volume, root + place, MS_BIND)
    octopus = None
    if given["octopus"]:
        octopus = subprocess.Popen(given["octopus"], stdout=subprocess.PIPE, text=True)
        url = octopus.stdout.readline().strip()
        environment = {name: value.replace("{octopus}", url) for name, value in environment.items()}

    def start(command):
        return subprocess.Popen(command, env=environment, preexec_fn=enter, text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT)

    def well():
        asked = start(given["health"])
        return asked.communicate(timeout=TIMEOUT)[0], asked.returncode

    allowed, known = confined_attempts(enter), files(root)
    before = well()[1]
    server = start(given["serve"])
    until = time.monotonic() + TIMEOUT
    said, after = well()
    while after and server.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
        said, after = well()
    status = open(f"/proc/{server.pid}/status").read() if server.poll() is None else ""
    answers = [send(*request) for request in given["requests"]] if not after else []
    began = time.monotonic()
    server.send_signal(signal.SIGTERM)
    output = server.communicate(timeout=TIMEOUT)[0]
    stopping = time.monotonic() - began
    if octopus:
        octopus.kill()
    print(json.dumps({
        "before": before, "after": after, "said": said, "status": status, "answers": answers, "ended": server.returncode,
        "stopping": stopping, "output": output, "allowed": allowed,
        "changed": sorted(path for path, state in files(root).items() if known.get(path) != state),
    }))


if __name__ == "__main__":
    main()

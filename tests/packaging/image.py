"""Builds the image of the Dockerfile with buildah: without a container engine, and without pulling a base image.

    image.py FOLDER [PROFILE]

The base images get the names that the Dockerfile asks for. They are made of Debian packages. The machine's Rust toolchain
and crates are mounted, so the build needs no network. FOLDER keeps base images, compiled crates and the built image for
the next run. PROFILE is a Cargo profile (default: dev). Requires root, buildah, debootstrap and Cargo.
"""

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NAME = "localhost/octopus-mcp:test"
# Base images of the Dockerfile: of the stage that compiles, and of the result.
BUILDER, RUNTIME = (
    # Names without a registry are those of Docker Hub.
    name if "/" in name else f"docker.io/library/{name}"
    for name in re.findall(r"^FROM (?:--platform=\S+ )?(\S+)", (ROOT / "Dockerfile").read_text(), re.M)
)
SUITE = BUILDER.rpartition("-")[2]
# Packages of the `slim` variant of the official image, in addition to a minimal Debian.
BUILDER_PACKAGES = ("ca-certificates", "gcc", "libc6-dev")
# Packages of the distroless image `cc`, without the libraries of other languages.
RUNTIME_PACKAGES = ("base-files", "ca-certificates", "libc6", "libgcc-s1", "tzdata")
# Cargo's folder has the path that it has on this machine, because Cargo compares paths of crates before it reuses them.
CARGO_HOME = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
TOOLCHAIN = "/usr/local/toolchain"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The user of the distroless image, and its home folder.
USER, HOME = "65532", "/home/nonroot"
# The label of a base image with a hash of everything that it is made from.
LABEL = "octopus-mcp.made-from"


class Store:
    """Images and containers in a folder of their own, apart from those of the machine."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)

    def buildah(self, *arguments, shown=False):
        """Runs buildah and returns its output, or shows it."""
        command = ["buildah", "--storage-driver", "vfs", "--root", self.folder / "storage", "--runroot",
                   self.folder / "run", *arguments]
        done = subprocess.run(command, text=True, check=False, env=os.environ | {"BUILDAH_ISOLATION": "chroot"},
                              stdin=subprocess.DEVNULL, stdout=None if shown else subprocess.PIPE,
                              stderr=subprocess.STDOUT if shown else subprocess.PIPE)
        if done.returncode:
            raise SystemExit(f"buildah {arguments[0]} failed with status {done.returncode}\n{done.stderr or ''}")
        return (done.stdout or "").strip()

    def clean(self):
        """Removes the containers and incomplete images of an earlier run that was interrupted."""
        self.buildah("rm", "--all")
        self.buildah("rmi", "--prune")

    @contextlib.contextmanager
    def container(self, image):
        """Creates a container from an image that exists, and removes it at the end. Returns its name and its root
        folder."""
        name = self.buildah("from", "--pull-never", image)
        try:
            yield name, Path(self.buildah("mount", name))
        finally:
            self.buildah("rm", name)

    def commit(self, container, image, *options):
        """Saves a container as an image, with these options of `buildah config`."""
        self.buildah("config", *options, container)
        self.buildah("commit", "--quiet", container, image)

    def settings(self, image):
        """Returns the configuration of an image in Docker's format."""
        return json.loads(self.buildah("inspect", "--type", "image", image))["Docker"]["config"]

    def label(self, image):
        """Returns the label `LABEL` of an image as NAME=VALUE, or None if the image does not exist."""
        if not any(image in one["names"] for one in json.loads(self.buildah("images", "--json"))):
            return None
        return f"{LABEL}={self.settings(image)['Labels'].get(LABEL)}"


def run(*command, **options):
    """Runs a command. Its output is shown only if it fails."""
    done = subprocess.run(command, text=True, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed with status {done.returncode}\n{done.stdout}")
    return done.stdout.strip()


def mirror():
    """Returns the URL from which apt installs the packages of this Debian release."""
    targets = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian",
               f"Codename: {SUITE}", "Component: main")
    found = run(*targets)
    if not found:
        run("apt-get", "-qq", "update")
        found = run(*targets)
    if not found:
        raise SystemExit(f"apt knows no packages of the release {SUITE}; run this on Debian {SUITE}")
    return found.splitlines()[0]


def debian(root):
    """Installs a minimal Debian with a C compiler into a folder, and returns the folder of the package files."""
    # debootstrap does not read the proxy of apt.
    proxy = shlex.split(run("apt-config", "shell", "http_proxy", "Acquire::http::Proxy").partition("=")[2])
    # An own mount namespace, so that no mount outlives an interrupted run.
    run("unshare", "--mount", "--propagation", "private", "debootstrap", "--variant=minbase",
        f"--include={','.join(BUILDER_PACKAGES)}", SUITE, root, mirror(),
        env=os.environ | ({"http_proxy": proxy[0]} if proxy else {}))
    return root / "var/cache/apt/archives"


def make_base_images(store):
    """Creates the two base images of the Dockerfile, unless they exist already."""
    builder_settings = {"PATH": f"{TOOLCHAIN}/bin:{PATH}", "CARGO_HOME": CARGO_HOME, "CARGO_NET_OFFLINE": "true",
                        "CARGO_INCREMENTAL": "0"}
    runtime_settings = {"PATH": PATH, "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt"}
    made_from = Path(__file__).read_text() + f"{BUILDER} {RUNTIME} {builder_settings}"
    label = f"{LABEL}={hashlib.sha256(made_from.encode()).hexdigest()}"
    if all(store.label(image) == label for image in (BUILDER, RUNTIME)):
        return
    with store.container("scratch") as (builder, builder_root), store.container("scratch") as (runtime, runtime_root):
        packages = debian(builder_root)
        for name in RUNTIME_PACKAGES:
            [file] = packages.glob(f"{name}_*.deb")
            run("dpkg-deb", "--extract", file, runtime_root)
        for path in (packages, builder_root / "var/lib/apt/lists", builder_root / "usr/share/doc", runtime_root / "usr/share/doc"):
            shutil.rmtree(path)
        add_user(runtime_root)
        add_certificates(runtime_root)
        store.commit(builder, BUILDER, "--label", label, *options("--env", builder_settings))
        store.commit(runtime, RUNTIME, "--label", label, "--user", USER, "--workingdir", HOME,
                     *options("--env", runtime_settings))


def options(name, table):
    """Returns the option NAME for each entry of a table, as KEY=VALUE."""
    return [word for key, value in table.items() for word in (name, f"{key}={value}")]


def add_user(root):
    """Adds the user of the distroless image."""
    (root / "etc/passwd").write_text(f"root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:{HOME}:/sbin/nologin\n")
    (root / "etc/group").write_text(f"root:x:0:\nnonroot:x:{USER}:\n")
    home = root / HOME.lstrip("/")
    home.mkdir(mode=0o700, parents=True)
    os.chown(home, int(USER), int(USER))


def add_certificates(root):
    """Writes the certificate authorities into one file, as the scripts of the package do."""
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(file.read_text() for file in sorted((root / "usr/share/ca-certificates").rglob("*.crt"))))


def reuse_crates(compiled):
    """Takes over the crates that `cargo build` has compiled on this machine, so that fewer are compiled twice."""
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug"
    folder = compiled / "debug"
    if folder.exists() or not (built / ".fingerprint").exists():
        return
    ours = shutil.ignore_patterns("*octopus*")
    libraries = {".rlib", ".rmeta", ".so"}

    def others(at, names):
        return {*ours(at, names), *(name for name in names if Path(name).suffix not in libraries | {".d"})}

    def link(source, target):
        # Hard links save space. rustc and the linker replace libraries, and never write into an existing one.
        (os.link if Path(source).suffix in libraries else shutil.copy2)(source, target)

    shutil.copytree(built / "deps", folder / "deps", copy_function=link, ignore=others)
    for name in ("build", ".fingerprint"):
        shutil.copytree(built / name, folder / name, ignore=ours)


def build(store, profile):
    """Builds the Dockerfile as it is. Cargo is offline, because the machine has every crate already."""
    compiled = store.folder / "target"
    compiled.mkdir(exist_ok=True)
    if profile == "dev":
        reuse_crates(compiled)
    mounts = {run("rustc", "--print", "sysroot"): f"{TOOLCHAIN}:ro", CARGO_HOME / "registry": CARGO_HOME / "registry",
              compiled: "/src/target"}
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    store.buildah(
        "bud", "--pull-never", "--format", "docker", "--file", "Dockerfile", "--tag", NAME,
        *(word for source, target in mounts.items() for word in ("--volume", f"{source}:{target}")),
        *options("--build-arg", {"PROFILE": profile, "TARGETARCH": architecture}), ".", shown=True,
    )


def main():
    """Builds the base images and the image, and cleans up at the end."""
    folder, profile = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "dev"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("interrupted"))
    store = Store(folder)
    os.chdir(ROOT)
    store.clean()
    try:
        make_base_images(store)
        build(store, profile)
    finally:
        store.clean()


if __name__ == "__main__":
    main()

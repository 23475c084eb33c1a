"""Loaded by every Python that runs in a container of the sandbox: its mounts, its /proc and its address.

A container has no root file system and no network of its own, so paths are translated where Python hands them to the
operating system, listening on "all addresses" means the pod's, and ``localhost`` is the pod when it listens there. What
bypasses ``os``, ``io`` and ``socket`` (C extensions, child processes) sees the machine as it is.

It imports nothing that an interpreter has not loaded anyway; ``socket`` and ``ssl`` are changed when somebody imports
them. A sitecustomize further down the path is run as well.
"""
# It stands in for functions of any signature, and must not import typing: most interpreters never load it.
# mypy: ignore-errors

import builtins
import io
import os
import sys

_MOUNTS = sorted(
    (line.split("=", 1) for line in os.environ.get("LITMUS_SANDBOX_MOUNTS", "").split(":") if "=" in line),
    key=lambda mount: -len(mount[0]),
)
_PROC = os.environ.get("LITMUS_SANDBOX_PROC", "")
_IP = os.environ.get("LITMUS_SANDBOX_IP", "")
_LOW = int(os.environ.get("LITMUS_SANDBOX_LOW") or 0)
_HOSTNAME = os.environ.get("LITMUS_SANDBOX_HOSTNAME", "")
_OFFSET = 20_000
_ANY = ("", "0.0.0.0", "0", "::", "::0")
_LOCAL = ("localhost", "127.0.0.1", "::1")
_FIRST = (
    *("open", "stat", "lstat", "access", "listdir", "scandir", "readlink", "mkdir", "rmdir", "remove", "unlink"),
    *("chmod", "chown", "lchown", "utime", "truncate", "statvfs", "chdir", "getxattr", "listxattr", "mkfifo"),
)
_BOTH = ("rename", "replace", "link")


def _translated(path):
    """The place of a path; anything that is no absolute path below a mount comes back as it is."""
    if isinstance(path, int):
        return path
    try:
        text = os.fspath(path)
    except TypeError:
        return path
    is_bytes = isinstance(text, bytes)
    if is_bytes:
        text = os.fsdecode(text)
    if not text.startswith("/"):
        return path
    clean = text if "/." not in text and "//" not in text else os.path.normpath(text)
    found = _place(clean)
    if found is None:
        return path
    return os.fsencode(found) if is_bytes else found


def _place(path):
    for mount, place in _MOUNTS:
        if path == mount:
            return place
        if path.startswith(mount) and path[len(mount)] == "/":
            return place + path[len(mount) :]
    if _PROC and path.startswith("/proc"):
        first, _, rest = path[6:].partition("/")
        if path in ("/proc", "/proc/"):
            return _PROC
        if first.isdigit() and path[5] == "/":
            return _PROC + "/" + first + ("/" + rest if rest else "")
    return None


def _first(function):
    def wrapper(path=".", *args, **kwargs):
        return function(_translated(path), *args, **kwargs)

    return _like(wrapper, function)


def _both(function):
    def wrapper(src, dst, *args, **kwargs):
        return function(_translated(src), _translated(dst), *args, **kwargs)

    return _like(wrapper, function)


def _like(wrapper, function):
    wrapper.__name__ = function.__name__
    wrapper.__qualname__ = function.__name__
    wrapper.__doc__ = function.__doc__
    wrapper.__wrapped__ = function
    return wrapper


def _change_files():
    opened = io.open

    def open(file, *args, **kwargs):  # noqa: A001 - it takes the place of the built-in
        return opened(_translated(file), *args, **kwargs)

    builtins.open = io.open = _like(open, opened)
    for names, wrap in ((_FIRST, _first), (_BOTH, _both)):
        for name in names:
            function = getattr(os, name, None)
            if function is None:
                continue
            wrapper = wrap(function)
            setattr(os, name, wrapper)
            for known in (os.supports_dir_fd, os.supports_follow_symlinks, os.supports_fd):
                if function in known:
                    known.add(wrapper)


def _change_kill():
    """Process 1 is the main process of the container, never this machine's; -1 are its processes."""
    plain = os.kill

    def kill(pid, signal):
        if pid in (1, -1):
            pid *= int(os.environ.get("LITMUS_SANDBOX_MAIN") or os.getsid(0))
        return plain(pid, signal)

    os.kill = _like(kill, plain)


def _reachable(port):
    return port + _OFFSET if 0 < port < _LOW else port


def _listens(port):
    """Whether something listens on the pod's address and port: /proc/net/tcp (proc_pid_net(5)), state 0A."""
    parts = [int(part) for part in _IP.split(".")]
    wanted = "".join(f"{part:02X}" for part in reversed(parts)) + f":{port:04X}"
    mapped = "0000000000000000FFFF0000" + wanted
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with io.open.__wrapped__(table) as lines:
                for line in lines:
                    words = line.split(None, 4)
                    if words[1] in (wanted, mapped) and words[3] == "0A":
                        return True
        except OSError:
            continue
    return False


def _bound(sock, address, module):
    """The address that a socket binds instead."""
    host, port, *rest = address
    if host not in _ANY and host not in _LOCAL and host != _IP:
        return address
    if sock.family == module.AF_INET6:
        if sock.getsockopt(module.IPPROTO_IPV6, module.IPV6_V6ONLY):
            # Pods have no IPv6 address. A port that nobody asks for lets those go on that insist on having one.
            return ("::1", 0, *rest)
        return (f"::ffff:{_IP}", _reachable(port), *rest)
    return (_IP, _reachable(port), *rest)


def _connected(address):
    host, port, *rest = address
    if host in _LOCAL:
        return (_IP, _reachable(port), *rest) if _listens(_reachable(port)) else address
    if _LOW and isinstance(host, str) and host.split(".")[:2] == _IP.split(".")[:2]:
        return (host, _reachable(port), *rest)
    return address


def _change_socket(module):
    kind = module.socket
    plain_bind, plain_connect, plain_connect_ex = kind.bind, kind.connect, kind.connect_ex
    inet = (module.AF_INET, module.AF_INET6)

    def bind(self, address):
        return plain_bind(self, _bound(self, address, module) if self.family in inet else address)

    def connect(self, address):
        return plain_connect(self, _connected(address) if self.family == module.AF_INET else address)

    def connect_ex(self, address):
        return plain_connect_ex(self, _connected(address) if self.family == module.AF_INET else address)

    kind.bind, kind.connect, kind.connect_ex = bind, connect, connect_ex
    if _HOSTNAME:
        module.gethostname = lambda: _HOSTNAME


def _change_ssl(module):
    context = module.SSLContext
    load_verify, load_chain = context.load_verify_locations, context.load_cert_chain

    def load_verify_locations(self, cafile=None, capath=None, cadata=None):
        return load_verify(self, cafile and _translated(cafile), capath and _translated(capath), cadata)

    def load_cert_chain(self, certfile, keyfile=None, password=None):
        return load_chain(self, _translated(certfile), keyfile and _translated(keyfile), password)

    context.load_verify_locations, context.load_cert_chain = load_verify_locations, load_cert_chain


class _Late:
    """Changes a module right after its import."""

    def __init__(self, changes):
        self.changes = changes

    def find_spec(self, name, path=None, target=None):
        change = self.changes.pop(name, None)
        if change is None:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target) if finder is not self else None
            if spec is not None:
                spec.loader.exec_module = _followed(spec.loader.exec_module, change)
                return spec
        return None


def _followed(execute, change):
    def exec_module(module):
        execute(module)
        change(module)

    return exec_module


def _install():
    if _MOUNTS or _PROC:
        _change_files()
    if _MOUNTS and not _PROC:
        _change_kill()
    changes = {"ssl": _change_ssl} if _MOUNTS else {}
    if _IP:
        changes["socket"] = _change_socket
    for name in [name for name in changes if name in sys.modules]:
        changes.pop(name)(sys.modules[name])
    if changes:
        sys.meta_path.insert(0, _Late(changes))


def _next_sitecustomize():
    """Python imports one sitecustomize only; ours hides the one that the image may have."""
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - pathlib is a large import
    for folder in sys.path:
        candidate = os.path.join(folder, "sitecustomize.py")  # noqa: PTH118
        if os.path.abspath(folder) != here and os.path.isfile(candidate):  # noqa: PTH100, PTH113
            with io.open(candidate, "rb") as file:  # noqa: UP020
                code = compile(file.read(), candidate, "exec")
            exec(code, {"__name__": "sitecustomize", "__file__": candidate})
            return


_install()
_next_sitecustomize()

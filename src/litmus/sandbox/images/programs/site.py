"""Files of a folder, or a welcome page, as answers of HTTP: what nginx serves when nobody configured it.

Imports C modules and ``os`` only: see ``nginx``.
"""

import os
import time

VERSION = os.environ.get("NGINX_VERSION", "1.29.0")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
REASONS = {
    200: "OK",
    301: "Moved Permanently",
    304: "Not Modified",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Not Allowed",
    413: "Request Entity Too Large",
    414: "Request-URI Too Large",
    500: "Internal Server Error",
    505: "HTTP Version Not Supported",
}
TYPES = {
    "html": "text/html",
    "htm": "text/html",
    "css": "text/css",
    "js": "application/javascript",
    "json": "application/json",
    "txt": "text/plain",
    "xml": "text/xml",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "ico": "image/x-icon",
    "pdf": "application/pdf",
}
WELCOME = b"""<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto; font-family: sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page comes from a stand-in for nginx that runs in a litmus sandbox.</p>
</body>
</html>
"""
STARTED = time.time()
_REGULAR = 0o100000
_FILE_TYPE = 0o170000
_FOLDER = 0o040000

Headers = dict[str, str]


class Answer:
    """Status, headers, and a body in memory, or ``left`` bytes of the open file ``file`` (-1: none)."""

    __slots__ = ("body", "code", "file", "headers", "left")

    def __init__(
        self, code: int, body: bytes = b"", headers: list[tuple[str, str]] | None = None, file: int = -1, left: int = 0
    ) -> None:
        self.code = code
        self.body = body
        self.headers = headers or []
        self.file = file
        self.left = left

    @property
    def length(self) -> int:
        """The size of the body in bytes."""
        return self.left if self.file >= 0 else len(self.body)

    def close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1


class Site:
    """The files below ``root``; without one, the welcome page."""

    def __init__(self, root: str | None) -> None:
        self.root = root

    def answer(self, method: str, target: str, headers: Headers) -> Answer:
        """The answer to a request; ``headers`` has names in lower case."""
        if method not in ("GET", "HEAD"):
            return failure(405)
        path = normal(unquoted(target.partition("?")[0].partition("#")[0]))
        if not path:
            return failure(400)
        if self.root is None:
            return _welcome(headers) if path in ("/", "/index.html") else failure(404)
        place = self.root + path
        try:
            if _is_folder(place) and not path.endswith("/"):
                host = headers.get("host", "localhost")
                return failure(301, ("Location", f"http://{host}{path}/"))
            return _file(place + "index.html" if path.endswith("/") else place, headers)
        except (FileNotFoundError, NotADirectoryError):
            return failure(403 if path.endswith("/") and _is_folder(place) else 404)
        except (PermissionError, IsADirectoryError):
            return failure(403)
        except (OSError, ValueError):
            return failure(500)


def failure(code: int, *headers: tuple[str, str]) -> Answer:
    """An error page as nginx words it."""
    title = f"{code} {REASONS[code]}"
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
        f"<hr><center>nginx/{VERSION}</center>\r\n</body>\r\n</html>\r\n"
    )
    return Answer(code, page.encode(), [("Content-Type", "text/html"), *headers])


def http_date(moment: float) -> str:
    """RFC 9110, section 5.6.7."""
    when = time.gmtime(moment)
    return (
        f"{DAYS[when.tm_wday]}, {when.tm_mday:02} {MONTHS[when.tm_mon - 1]} {when.tm_year}"
        f" {when.tm_hour:02}:{when.tm_min:02}:{when.tm_sec:02} GMT"
    )


def unquoted(path: str) -> str:
    """The path with %XX decoded; '' when that is malformed."""
    first, *rest = path.encode("latin-1").split(b"%")
    found = [first]
    for part in rest:
        try:
            found.append(bytes((int(part[:2], 16),)) + part[2:])
        except ValueError:
            return ""
    return b"".join(found).decode("utf-8", "surrogateescape")


def normal(path: str) -> str:
    """The path without ``.`` and ``..``; '' when it is no path or would leave the root."""
    if not path.startswith("/") or "\0" in path:
        return ""
    found: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not found:
                return ""
            found.pop()
        elif part not in ("", "."):
            found.append(part)
    return "/" + "/".join(found) + ("/" if path.endswith("/") and found else "")


def _welcome(headers: Headers) -> Answer:
    about = _about(STARTED, len(WELCOME), "html")
    return _unchanged(headers, about) or Answer(200, WELCOME, about)


def _file(place: str, headers: Headers) -> Answer:
    handle = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    status = os.fstat(handle)
    about = _about(status.st_mtime, status.st_size, place.rpartition(".")[2].lower())
    refused = failure(403) if status.st_mode & _FILE_TYPE != _REGULAR else _unchanged(headers, about)
    if refused:
        os.close(handle)
        return refused
    return Answer(200, b"", about, handle, status.st_size)


def _about(changed: float, size: int, suffix: str) -> list[tuple[str, str]]:
    return [
        ("Content-Type", TYPES.get(suffix, "application/octet-stream")),
        ("Last-Modified", http_date(changed)),
        ("ETag", f'"{int(changed):x}-{size:x}"'),
        ("Accept-Ranges", "bytes"),
    ]


def _unchanged(headers: Headers, about: list[tuple[str, str]]) -> Answer | None:
    """304 for a client that has it already (RFC 9110, section 13)."""
    (_, changed), (_, tag) = about[1:3]
    wanted = headers.get("if-none-match")
    if wanted is not None:
        same = wanted == "*" or tag in [word.strip() for word in wanted.split(",")]
    else:
        same = headers.get("if-modified-since") == changed
    return Answer(304, b"", about[1:3]) if same else None


def _is_folder(place: str) -> bool:
    try:
        return os.stat(place).st_mode & _FILE_TYPE == _FOLDER  # noqa: PTH116 - pathlib is a large import
    except OSError:
        return False

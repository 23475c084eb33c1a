"""Hubs in a zip: from an address of the web or a file of this machine.

A zip is not trusted in what it says of itself: its list is bounded before it is read, and every file is counted while
it unfolds.
"""

import hashlib
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import httpx2

from . import tree
from .unpacking import CannotFetch, Limits, Store

_END = b"PK\x05\x06"
_LONGEST_END = 22 + 65_535
_LIST_OF_FILE = 400  # bytes of the list for each file; a path may have some hundred
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_REDIRECTS = 5
_SILENCE_S = 30.0


async def download(url: str, file: Path, *, token: str, limits: Limits) -> None:
    """The zip at an address, into a file. Raises CannotFetch."""
    headers = {"Accept-Encoding": "identity", "User-Agent": "litmus-py"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        async with httpx2.AsyncClient(timeout=_SILENCE_S) as client:
            await _follow(client, client.build_request("GET", url, headers=headers), file, limits=limits)
    except httpx2.HTTPError as error:
        raise CannotFetch(f"no answer: {str(error) or type(error).__name__}") from error
    except (httpx2.InvalidURL, OSError) as error:
        raise CannotFetch(str(error)) from error


async def _follow(client: httpx2.AsyncClient, request: httpx2.Request, file: Path, *, limits: Limits) -> None:
    for _ in range(_REDIRECTS + 1):
        secure = request.url.scheme == "https"
        response = await client.send(request, stream=True)
        try:
            if response.next_request is None:
                await _save(response, file, limits=limits)
                return
            request = response.next_request  # without the token where it leads to another host
            if secure and request.url.scheme != "https":
                raise CannotFetch("the server redirects from https to http; that is refused")
        finally:
            await response.aclose()
    raise CannotFetch(f"the server redirects more than {_REDIRECTS} times")


async def _save(response: httpx2.Response, file: Path, *, limits: Limits) -> None:
    if response.status_code in (401, 403):
        raise CannotFetch(
            f"the server answers {response.status_code}: it refuses the token, or wants one (--token-env)"
        )
    if response.status_code != 200:
        raise CannotFetch(f"the server answers {response.status_code} {response.reason_phrase}; look at the address")
    size = 0
    with file.open("wb") as stream:
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > limits.packed:
                raise CannotFetch(f"the zip has more than {limits.packed:,} bytes; a hub has some hundred thousand")
            stream.write(chunk)


def unpack(file: Path, store: Store) -> str:
    """Unpacks what charts need and returns a digest of the zip. Raises CannotFetch."""
    try:
        if file.stat().st_size > store.limits.packed:
            raise CannotFetch(f"the zip has more than {store.limits.packed:,} bytes; a hub has some hundred thousand")
        _check_list(file, store.limits)
        with zipfile.ZipFile(file) as archive:
            _unpack(archive, store)
        return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, UnicodeDecodeError) as error:
        raise CannotFetch(f"this is no zip, or a broken one: {error}") from error
    except OSError as error:
        raise CannotFetch(f"the zip can't be read: {error.strerror or error}") from error


def _check_list(file: Path, limits: Limits) -> None:
    """The list of a zip becomes objects when it is opened: a long one takes far more memory than the file."""
    content = file.read_bytes()[-_LONGEST_END:]
    end = content.rfind(_END)
    if end < 0 or len(content) < end + 22:
        raise CannotFetch("this is no zip, or a broken one")
    (size,) = struct.unpack_from("<I", content, end + 12)
    if size > limits.files * _LIST_OF_FILE:  # 0xffffffff of a zip64, too
        raise CannotFetch(f"it has more than {limits.files:,} files; a hub has some hundred")


def _unpack(archive: zipfile.ZipFile, store: Store) -> None:
    entries = archive.infolist()
    store.counts(len(entries))
    top = _top([entry.filename for entry in entries])
    wanted = []
    for entry in entries:
        # What follows a null byte is cut off by zipfile; the name that was written is the one to judge.
        path = entry.orig_filename.removeprefix(top)
        needed = store.wants(path.rstrip("/")) and not entry.is_dir()
        if stat.S_ISLNK(entry.external_attr >> 16):
            if path.split("/")[0] in tree.ROOTS:
                store.refuse(path, "unsafe path: a symbolic link; put the file itself here")
        elif needed:
            wanted.append((path, entry))
    if sum(entry.file_size for _, entry in wanted) > store.limits.unpacked:
        raise CannotFetch(f"it unfolds to more than {store.limits.unpacked:,} bytes")
    for path, entry in wanted:
        if entry.flag_bits & 1:
            raise CannotFetch(f"{path} is encrypted; pack the hub without a password")
        if entry.compress_type not in _METHODS:
            raise CannotFetch(f"{path} is packed by an unusual method; use deflate, as zip does")
        if store.fits(path, entry.file_size):
            with archive.open(entry) as stream:
                content = stream.read(tree.LARGEST_TEXT + 1)  # whatever the list says of its size
            if store.fits(path, len(content)):
                store.write(path, content)


def _top(names: list[str]) -> str:
    """``name-branch/``, where everything is below one folder, as in the zips of GitHub and GitLab."""
    tops = {name.partition("/")[0] for name in names}
    if len(tops) == 1 and not tops & set(tree.ROOTS) and all("/" in name for name in names):
        return f"{tops.pop()}/"
    return ""

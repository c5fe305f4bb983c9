"""Static files: a table made once, when the server starts, and looked up by exact names.

A page names a file under the version that all files had when it was made, and such an address may be kept for ever; its
plain name always means the file as it is now, which a browser asks for again. All else is nothing: no path is opened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from gzip import compress
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from fastapi import APIRouter, Request, Response
from rcssmin import cssmin
from rjsmin import jsmin
from starlette.exceptions import HTTPException

from app.serve.html import takes_gzip

FOR_EVER, ASK_AGAIN, A_DAY = "public, max-age=31536000, immutable", "no-cache", "public, max-age=86400"
_SPARING = {".js": jsmin, ".css": cssmin}


@dataclass(frozen=True)
class File:
    """A file as it is sent: plain, and compressed ("" if that is no smaller)."""

    plain: bytes
    packed: bytes
    kind: str
    tag: str


@lru_cache(maxsize=4)
def version_of(folder: Path) -> str:
    """A hash of every file of a folder: part of their addresses, so that they may be kept for ever."""
    digest = sha256()
    for file in _files(folder):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


@lru_cache(maxsize=4)
def table_of(folder: Path) -> Mapping[str, File]:
    """Every file of a folder, by its path in it."""
    return {file.relative_to(folder).as_posix(): _file(file, folder) for file in _files(folder)}


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _file(file: Path, folder: Path) -> File:
    others = "vendor" in file.relative_to(folder).parts
    plain = file.read_bytes() if others else _spared(file.read_bytes(), file.suffix)
    packed = compress(plain, 9, mtime=0)
    kind = guess_type(file.name)[0] or "application/octet-stream"
    return File(plain, packed if len(packed) < len(plain) else b"", kind, f'"{sha256(plain).hexdigest()[:20]}"')


def _spared(text: bytes, kind: str) -> bytes:
    """Our own scripts and styles without comments and indents: 5 kB less for a first visit."""
    return bytes(_SPARING[kind](text)) if kind in _SPARING else text


def routes(folder: Path) -> APIRouter:
    """The addresses of a folder's files, and the icon for browsers that ask for it without being told."""
    files, version = table_of(folder), version_of(folder)
    named = {name: (file, ASK_AGAIN) for name, file in files.items()}
    named |= {f"{version}/{name}": (file, FOR_EVER) for name, file in files.items()}
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{path:path}")
    async def static(request: Request, path: str) -> Response:
        if path not in named:
            raise HTTPException(404, "There is no such file.")
        return sent(request, *named[path])

    @router.get("/favicon.ico")
    async def favicon(request: Request) -> Response:
        return sent(request, files["icon.svg"], A_DAY)

    return router


def sent(request: Request, file: File, kept: str) -> Response:
    """A file, or word that the browser has it."""
    headers = {"Vary": "Accept-Encoding", "Cache-Control": kept, "ETag": file.tag}
    asked = request.headers.get("if-none-match", "")
    if asked and file.tag in (each.strip().removeprefix("W/") for each in asked.split(",")):
        return Response(status_code=304, headers=headers)
    if file.packed and takes_gzip(request):
        return Response(file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.kind)
    return Response(file.plain, headers=headers, media_type=file.kind)

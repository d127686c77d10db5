# SPDX-License-Identifier: Apache-2.0
"""Files on this machine become an artifact: each is stored under its SHA-256, then they are named together."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import List, Union

from .connection import Connection
from .errors import NexaError
from .models import ArtifactView, InputFile

CHUNK_BYTES = 1 << 20


def digest_of(file: Path) -> str:
    """`sha256:` and the hash of the file's bytes."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def files_below(folder: Path) -> List[Path]:
    """All files below the folder, in the order of their names. Links, devices and what cannot be read are refused."""

    def refuse(error: OSError):
        raise error

    found = []
    for inner, folders, names in os.walk(folder, onerror=refuse):
        found += [Path(inner, name) for name in names]
        found += [Path(inner, name) for name in folders if Path(inner, name).is_symlink()]
    for file in found:
        if file.is_symlink() or not file.is_file():
            raise NexaError(f"cannot upload {file}: it is no regular file; put a copy in its place, or take it away")
    if not found:
        raise NexaError(f"there is no file in {folder}")
    return sorted(found)


def _send(connection: Connection, file: Path, digest: str) -> None:
    try:
        with file.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            plan = connection.json("POST", f"/blobs/{digest}/plan", {"size": size})
            if plan["state"] == "link":
                headers = {header["name"]: header["value"] for header in plan["headers"]}
                connection.put_by_link(plan["url"], headers, stream, size)
            elif plan["state"] != "stored":
                connection.put_file(f"/blobs/{digest}", stream, size)
    except NexaError:
        if digest_of(file) != digest:
            raise NexaError(f"{file} changed while it was sent; upload it again") from None
        raise


def upload(connection: Connection, path: Union[str, os.PathLike], name: str, kind: str) -> ArtifactView:
    """See NexaForgeClient.upload()."""
    if not os.fspath(path):
        raise FileNotFoundError("the path of what to upload is empty")
    source = Path(path).resolve()
    if not source.exists():
        raise FileNotFoundError(f"there is no file or folder '{path}'")
    is_folder = source.is_dir()
    if not is_folder and not source.is_file():
        raise NexaError(f"cannot upload {path}: it is neither a file nor a folder")
    files: List[InputFile] = []
    sent = set()
    for file in files_below(source) if is_folder else [source]:
        digest = digest_of(file)
        if digest not in sent:
            _send(connection, file, digest)
            sent.add(digest)
        relative = file.relative_to(source).as_posix() if is_folder else Path(path).name
        files.append({"path": relative, "digest": digest, "size": file.stat().st_size})
    body = {"kind": kind, "name": name or Path(path).name or source.name, "files": files}
    return connection.json("POST", "/artifacts", body, once=True)

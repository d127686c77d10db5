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


def files_of(source: Path) -> List[Path]:
    """The file, or all below the folder, in the order of their names. Links and devices are refused."""
    if not source.is_dir():
        found = [source]
    else:
        found = sorted(Path(folder, name) for folder, _, names in os.walk(source) for name in names)
    for file in found:
        if not file.exists():
            raise FileNotFoundError(f"there is no file or folder '{file}'")
        if file.is_symlink() or not file.is_file():
            raise NexaError(f"cannot upload {file}: it is no regular file; put a copy in its place, or take it away")
    if not found:
        raise NexaError(f"there is no file in {source}")
    return found


def upload(connection: Connection, path: Union[str, os.PathLike], name: str, kind: str) -> ArtifactView:
    """See NexaForgeClient.upload()."""
    source = Path(path)
    files: List[InputFile] = []
    for file in files_of(source):
        digest = digest_of(file)
        size = file.stat().st_size
        try:
            with file.open("rb") as stream:
                headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
                connection.send("PUT", f"/blobs/{digest}", stream, headers=headers)
        except NexaError:
            if digest_of(file) != digest:
                raise NexaError(f"{file} changed while it was sent; upload it again") from None
            raise
        relative = file.relative_to(source).as_posix() if source.is_dir() else file.name
        files.append({"path": relative, "digest": digest, "size": size})
    return connection.json("POST", "/artifacts", {"kind": kind, "name": name or source.resolve().name, "files": files})

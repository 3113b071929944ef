"""Where the files of a data set lie: a ZIP from a stranger, or a folder of the server's. Both are read within limits.

Of a ZIP the end record comes first: how long its directory is. Then the directory: how many members there are, what each
says it takes packed and unpacked. Only then is a member unpacked, into memory, never beyond the size it stated, and
never to a path that the ZIP names.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Protocol

from segdemo.errors import DataSetError
from segdemo.text import N_, _
from segdemo.types import Notice

__all__ = ["MAX_MEMBERS", "MAX_MEMBER_BYTES", "MAX_UNPACKED_BYTES", "FileStore", "FolderStore", "ZipStore", "open_store"]

MAX_DIRECTORY_BYTES = 4_000_000
MAX_MEMBERS = 20_000
MAX_MEMBER_BYTES = 200_000_000  # unpacked
MAX_UNPACKED_BYTES = 2_000_000_000  # all together
MAX_EXPANSION = 200  # times the packed size, beyond what small sets may
SMALL_BYTES = 100_000_000
END, END_OF_LARGE = b"PK\5\6", b"PK\6\7"
END_RECORD = struct.Struct("<4s4H2LH")
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)

LEADS_OUT = N_("The name leads out of the archive.")
TWICE = N_("The archive holds two files of this name.")
ENCRYPTED = N_("This file is encrypted: make a ZIP without a password.")
LINK = N_("This is a link, not a file.")
METHOD = N_("This file is packed in a way that is not read here: make an ordinary ZIP.")
TOO_LARGE = N_("This file is larger than {mb:.0f} MB unpacked.")

Refused = list[tuple[str, Notice]]


class FileStore(Protocol):
    """Files by names with "/" between folders. `refused` are those that are not read, and why."""

    name: str
    refused: Refused

    def names(self) -> list[str]:
        """Names of all files that may be read, sorted."""

    def read(self, name: str) -> bytes:
        """The bytes of one. Raises DataSetError."""


class ZipStore:
    """A ZIP whose directory has been read and found bearable. Raises DataSetError for any other."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.refused: Refused = []
        _check_end(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except BROKEN as error:
            raise DataSetError(_("This ZIP is damaged or cut off. Make it again.")) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        _check_sizes(self._archive.infolist())
        for info in self._archive.infolist():
            self._take(info)

    def _take(self, info: zipfile.ZipInfo) -> None:
        name = info.filename.replace("\\", "/")
        if info.is_dir() or is_clutter(name):
            return
        problem = _problem(info, name)
        if problem is None and name in self._members:
            problem = Notice(TWICE)
        if problem is None:
            self._members[name] = info
        else:
            self.refused.append((name, problem))

    def names(self) -> list[str]:
        """Names of all members that may be read, sorted."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """A member, unpacked. Raises DataSetError where it is damaged or not what the directory says."""
        info = self._members[name]
        try:
            with self._archive.open(info) as member:
                data = member.read(info.file_size + 1)
        except BROKEN as error:
            raise DataSetError(_("This file is damaged in the archive.")) from error
        if len(data) != info.file_size:
            raise DataSetError(_("This file is damaged in the archive."))
        return data


class FolderStore:
    """A folder of the server's, with all that lies below it. Links are not followed."""

    def __init__(self, path: Path) -> None:
        self.name = path.resolve().name
        self.refused: Refused = []
        self._files: dict[str, Path] = {}
        for folder, _folders, files in os.walk(path):  # follows no links to folders
            for file in (Path(folder) / name for name in files):
                name = file.relative_to(path).as_posix()
                if not is_clutter(name) and file.is_file() and not file.is_symlink():
                    self._files[name] = file
            if len(self._files) > MAX_MEMBERS:
                raise DataSetError(_("There are more than {n} files in this data set.", n=MAX_MEMBERS))

    def names(self) -> list[str]:
        """Names of all files relative to the folder, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        """A file's bytes. Raises DataSetError."""
        try:
            if self._files[name].stat().st_size > MAX_MEMBER_BYTES:
                raise DataSetError(Notice(TOO_LARGE, {"mb": MAX_MEMBER_BYTES / 1e6}).text)
            return self._files[name].read_bytes()
        except OSError as error:
            raise DataSetError(_("This file cannot be read: {reason}.", reason=error.strerror or error)) from error


def open_store(path: Path) -> FileStore:
    """The files of a folder or of a ZIP. Raises DataSetError."""
    return FolderStore(path) if path.is_dir() else ZipStore(path)


def is_clutter(name: str) -> bool:
    """Files that systems leave behind, and hidden ones."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part != ".." for part in parts) or parts[-1:] == ("Thumbs.db",)


def _check_end(path: Path) -> None:
    """The end record alone: whether this is a ZIP, and how much would be read as its directory."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - (1 << 16) - END_RECORD.size - 20))
            tail = file.read()
    except OSError as error:
        raise DataSetError(_("This ZIP cannot be read: {reason}.", reason=error.strerror or error)) from error
    place = tail.rfind(END)
    if place < 0 or len(tail) - place < END_RECORD.size:
        raise DataSetError(_("This is not a ZIP, or it is cut off."))
    _sign, _disk, _start, _here, members, directory, _offset, _comment = END_RECORD.unpack_from(tail, place)
    if tail[max(0, place - 20) :].startswith(END_OF_LARGE):
        raise DataSetError(
            _("This ZIP has the format of very large archives (ZIP64). Make an ordinary one of up to {n} files.", n=MAX_MEMBERS)
        )
    if members > MAX_MEMBERS:
        raise DataSetError(_("There are more than {n} files in this data set.", n=MAX_MEMBERS))
    if directory > MAX_DIRECTORY_BYTES:
        raise DataSetError(_("The list of files in this ZIP takes more than {mb:.0f} MB. Use fewer files, or shorter names.",
                             mb=MAX_DIRECTORY_BYTES / 1e6))  # fmt: skip


def _check_sizes(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise DataSetError(_("There are more than {n} files in this data set.", n=MAX_MEMBERS))
    packed, unpacked = sum(m.compress_size for m in members), sum(m.file_size for m in members)
    if unpacked > MAX_UNPACKED_BYTES:
        raise DataSetError(_("Unpacked, this ZIP takes {size:.1f} GB; up to {limit:.0f} GB work. Leave out some, or scale them.",
                             size=unpacked / 1e9, limit=MAX_UNPACKED_BYTES / 1e9))  # fmt: skip
    if unpacked > SMALL_BYTES and unpacked > MAX_EXPANSION * packed:
        raise DataSetError(
            _("This ZIP would grow to {n:.0f} times its size. No set of pictures does.", n=unpacked / max(1, packed))
        )


def _problem(info: zipfile.ZipInfo, name: str) -> Notice | None:
    """Why a member is not read, or None."""
    parts = PurePosixPath(name).parts
    checks: list[tuple[Callable[[], bool], Notice]] = [
        (lambda: name.startswith("/") or ".." in parts or ":" in parts[0] or "\0" in name, Notice(LEADS_OUT)),
        (lambda: bool(info.flag_bits & 1), Notice(ENCRYPTED)),
        (lambda: stat.S_ISLNK(info.external_attr >> 16), Notice(LINK)),
        (lambda: info.compress_type not in METHODS, Notice(METHOD)),
        (lambda: info.file_size > MAX_MEMBER_BYTES, Notice(TOO_LARGE, {"mb": MAX_MEMBER_BYTES / 1e6})),
    ]
    return next((notice for found, notice in checks if found()), None)

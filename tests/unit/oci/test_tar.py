"""Archives of every dialect read as the same members."""

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lading.oci import tar, tar_writer

Found = list[tuple[tar.Entry, bytes]]


def pieces(data: bytes, size: int) -> Callable[[], bytes]:
    source: Iterator[bytes] = iter([data[at : at + size] for at in range(0, len(data), size)])
    return lambda: next(source, b"")


def read(data: bytes, size: int = 4096) -> Found:
    reader = tar.Reader(pieces(data, size))
    return [(entry, b"".join(bytes(view) for view in reader.data())) for entry in reader]


def tree(root: Path) -> Path:
    deep = root / "tree" / ("d" * 120) / ("e" * 120)
    deep.mkdir(parents=True)
    (deep / "file").write_bytes(b"deep")
    (root / "tree" / "plain").write_bytes(b"x" * 1000)
    os.utime(root / "tree" / "plain", ns=(0, 1_700_000_000_000_000_000))
    os.link(root / "tree" / "plain", root / "tree" / "twin")
    os.symlink("n" * 150, root / "tree" / "link")
    os.mkfifo(root / "tree" / "pipe")
    return root


@pytest.mark.parametrize("dialect", ["oldgnu", "gnu", "posix"])
def test_gnu_tar_with_long_names(tmp_path: Path, dialect: str) -> None:
    tree(tmp_path)
    packed = subprocess.run(
        ["tar", "-C", tmp_path, f"--format={dialect}", "-cf", "-", "tree"], check=True, capture_output=True
    ).stdout
    found = {entry.name.rstrip(b"/"): (entry, data) for entry, data in read(packed)}
    deep = b"tree/" + b"d" * 120 + b"/" + b"e" * 120
    assert found[deep + b"/file"][1] == b"deep"
    assert found[deep][0].type == tar.DIRECTORY
    assert found[b"tree/link"][0].link == b"n" * 150
    assert found[b"tree/pipe"][0].type == tar.FIFO
    pair = {found[b"tree/plain"][0].type, found[b"tree/twin"][0].type}
    assert pair == {tar.REGULAR, tar.HARD_LINK}
    original = next(entry for entry, data in found.values() if data == b"x" * 1000)
    assert original.mtime_ns == 1_700_000_000_000_000_000


@pytest.mark.parametrize("dialect", ["v7", "ustar"])
def test_old_dialects_with_short_names(tmp_path: Path, dialect: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_bytes(b"content")
    packed = subprocess.run(
        ["tar", "-C", tmp_path, f"--format={dialect}", "-cf", "-", "a"], check=True, capture_output=True
    ).stdout
    found = {entry.name: (entry, data) for entry, data in read(packed)}
    assert found[b"a/b/"][0].type == tar.DIRECTORY
    assert found[b"a/b/c"][1] == b"content"


@pytest.mark.parametrize(
    "options",
    [["--format=gnu"], *(["--format=posix", f"--sparse-version={v}"] for v in ("0.0", "0.1", "1.0"))],
)
def test_sparse_files(tmp_path: Path, options: list[str]) -> None:
    # More segments than one header of any dialect can hold.
    with open(tmp_path / "holes", "wb") as file:
        for number in range(40):
            file.seek(number * 64 * 1024)
            file.write(b"data%03d" % number)
        file.truncate(4 << 20)
    packed = subprocess.run(
        ["tar", "-C", tmp_path, "-S", *options, "-cf", "-", "holes"], check=True, capture_output=True
    ).stdout
    assert len(packed) < 1 << 20
    ((entry, data),) = read(packed)
    assert (entry.name, entry.size) == (b"holes", 4 << 20)
    whole = bytearray(entry.size)
    at = 0
    for offset, length in entry.segments or ():
        whole[offset : offset + length] = data[at : at + length]
        at += length
    assert bytes(whole) == (tmp_path / "holes").read_bytes()


@pytest.mark.parametrize("dialect", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_python_tarfile(dialect: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=dialect) as archive:
        info = tarfile.TarInfo("p" * 90 + "/" + "q" * 90)
        info.size, info.mode, info.uid, info.gid, info.mtime = 5, 0o4755, 1000, 1001, 1234567890
        archive.addfile(info, io.BytesIO(b"hello"))
        device = tarfile.TarInfo("null")
        device.type, device.devmajor, device.devminor = tarfile.CHRTYPE, 1, 3
        archive.addfile(device)
    (file, data), (node, _) = read(buffer.getvalue())
    assert file.name == b"p" * 90 + b"/" + b"q" * 90
    assert (file.mode, file.uid, file.gid, file.mtime_ns) == (0o4755, 1000, 1001, 1234567890 * 10**9)
    assert data == b"hello"
    assert (node.type, node.device_major, node.device_minor) == (tar.CHARACTER, 1, 3)


@pytest.mark.parametrize("dialect", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_numbers_too_big_for_octal(dialect: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=dialect) as archive:
        info = tarfile.TarInfo("file")
        info.uid, info.gid, info.mtime = 4_000_000_000, 3_000_000_000, -5
        archive.addfile(info)
    ((entry, _),) = read(buffer.getvalue())
    assert (entry.uid, entry.gid, entry.mtime_ns) == (4_000_000_000, 3_000_000_000, -5 * 10**9)


def test_attributes_and_fractions_of_pax() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("file")
        info.pax_headers = {"SCHILY.xattr.user.note": "a=b\nc", "mtime": "12.000000345"}
        archive.addfile(info)
    ((entry, _),) = read(buffer.getvalue())
    assert entry.xattrs == {b"user.note": b"a=b\nc"}
    assert entry.mtime_ns == 12_000_000_345


def test_unread_data_is_skipped() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("one", "two"):
            info = tarfile.TarInfo(name)
            info.size = 700
            archive.addfile(info, io.BytesIO(name.encode() * 300))
    reader = tar.Reader(pieces(buffer.getvalue(), 100))
    assert [entry.name for entry in reader] == [b"one", b"two"]


@pytest.mark.parametrize("length", [100, 512, 600, 1300])
def test_truncation_is_noticed(length: int) -> None:
    entry = tar.Entry(b"file", size=2000)
    data = tar_writer.header(entry) + b"x" * 2000 + tar_writer.padding(2000) + tar_writer.END
    with pytest.raises(tar.Truncated):
        read(data[:length])


def test_a_missing_end_marker_is_accepted() -> None:
    entry = tar.Entry(b"file", size=3)
    data = tar_writer.header(entry) + b"abc" + tar_writer.padding(3)
    assert [data for _, data in read(data)] == [b"abc"]


@pytest.mark.parametrize("at", [0, 130, 150, 300])
def test_a_damaged_header_is_refused(at: int) -> None:
    header = bytearray(tar_writer.header(tar.Entry(b"file")))
    header[at] ^= 0x11
    with pytest.raises(tar.TarError):
        read(bytes(header))


FIELDS = {"mode": (100, 108), "uid": (108, 116), "gid": (116, 124), "size": (124, 136), "segment": (386, 398)}
KINDS = b"0LKxXgVS5D1"


def raw(kind: bytes, field: str, value: bytes) -> bytes:
    """A header with anything at all in one field under a right checksum."""
    block = bytearray(tar_writer.header(tar.Entry(b"file", kind)))
    start, end = FIELDS[field]
    block[start:end] = value.ljust(end - start, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def negative(length: int, amount: int) -> bytes:
    return (-amount).to_bytes(length, "big", signed=True)


@given(
    st.sampled_from([KINDS[at : at + 1] for at in range(len(KINDS))]),
    st.sampled_from(sorted(FIELDS)),
    st.integers(1, 2**40),
    st.booleans(),
)
def test_numbers_below_zero_are_refused(kind: bytes, field: str, amount: int, binary: bool) -> None:
    # Fields that a kind of header does not have are not looked at.
    if field != "size":
        kind = b"S" if field == "segment" else b"0"
    length = FIELDS[field][1] - FIELDS[field][0]
    value = negative(length, amount) if binary else b"-%o" % (amount % 8 ** (length - 2) or 1)
    with pytest.raises(tar.TarError, match="number"):
        read(raw(kind, field, value) + bytes(2048))


@pytest.mark.parametrize("kind", [b"L", b"K", b"x", b"g", b"V"])
def test_a_damaged_header_before_a_member_is_refused_too(kind: bytes) -> None:
    body = b"6 a=b\n"
    header = bytearray(tar_writer.header(tar.Entry(b"file", kind, size=len(body))))
    header[0] ^= 0x11
    with pytest.raises(tar.TarError, match="invalid tar header"):
        read(bytes(header) + body + tar_writer.padding(len(body)) + tar_writer.END)


def pax(kind: bytes, key: bytes, length: int) -> bytes:
    rest = b" %s=%s\n" % (key, b"v" * length)
    body = next(b"%d%s" % (n, rest) for n in range(len(rest), len(rest) + 9) if len(str(n)) + len(rest) == n)
    return tar_writer.header(tar.Entry(b"x", kind, size=len(body))) + body + tar_writer.padding(len(body))


@pytest.mark.parametrize("kind", [b"g", b"x", b"L", b"K"])
def test_headers_before_a_member_have_a_limit_together(kind: bytes) -> None:
    given = 0

    def endless() -> bytes:
        nonlocal given
        given += 1
        assert given < 100, "it would be read for ever"
        return pax(kind, b"key%d" % given, 40_000)

    with pytest.raises(tar.TarError, match="too large"):
        tar.Reader(endless).next()


def test_what_holds_for_all_members_does_not_grow_with_them() -> None:
    member = tar_writer.header(tar.Entry(b"file"))
    same = b"".join(pax(b"g", b"comment", 40_000) + member for _ in range(50))
    assert len(read(same)) == 50
    with pytest.raises(tar.TarError, match="too large"):
        read(b"".join(pax(b"g", b"key%d" % number, 4_000) + member for number in range(50)))


@pytest.mark.parametrize(
    "body",
    [
        b"zz path=a\n",
        b"99 path=a\n",
        b"5 a=b",
        b"0 a=b\n",
        b"6 abc\n",
        b"10 mtime=x\n",
        b"19 size=-12345678\n",
    ],
)
def test_malformed_pax_records_are_refused(body: bytes) -> None:
    data = tar_writer.header(tar.Entry(b"x", b"x", size=len(body))) + body + tar_writer.padding(len(body))
    with pytest.raises(tar.TarError):
        read(data + tar_writer.header(tar.Entry(b"file")) + tar_writer.END)


@pytest.mark.parametrize("segments", ["0,10,5,10", "0,5", "4,100000", "0,10,20"])
def test_impossible_sparse_maps_are_refused(segments: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("file")
        info.size = 20
        info.pax_headers = {"GNU.sparse.map": segments, "GNU.sparse.size": "1000"}
        archive.addfile(info, io.BytesIO(b"d" * 20))
    with pytest.raises(tar.TarError):
        read(buffer.getvalue())


names = st.binary(min_size=1, max_size=300).filter(
    lambda name: b"\0" not in name and not name.endswith(b"/") and name.strip(b"\0") != b""
)
entries = st.builds(
    tar.Entry,
    name=names,
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32),
    gid=st.integers(0, 2**32),
    mtime_ns=st.integers(-(10**18), 2**62),
    xattrs=st.none()
    | st.dictionaries(st.binary(min_size=1).filter(lambda k: b"=" not in k), st.binary(), min_size=1),
)


@given(st.lists(st.tuples(entries, st.binary(max_size=2000)), max_size=5), st.integers(1, 3000))
def test_what_is_written_is_read_back(members: list[tuple[tar.Entry, bytes]], size: int) -> None:
    packed = b""
    for entry, data in members:
        entry.size = entry.stored = len(data)
        packed += tar_writer.header(entry) + data + tar_writer.padding(len(data))
    assert read(packed + tar_writer.END, size) == members


@given(st.binary(max_size=3000))
def test_garbage_is_refused_or_empty(garbage: bytes) -> None:
    try:
        read(garbage)
    except tar.TarError:
        pass


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=250),
    st.integers(0, 2**33),
)
def test_python_reads_what_is_written(name: str, mtime: int) -> None:
    path = name.strip("/") or "x"
    packed = tar_writer.header(tar.Entry(path.encode(), mtime_ns=mtime * 10**9, size=1)) + b"a" + bytes(511)
    with tarfile.open(fileobj=io.BytesIO(packed + tar_writer.END)) as archive:
        (member,) = archive.getmembers()
        assert (member.name, member.mtime) == (path, mtime)

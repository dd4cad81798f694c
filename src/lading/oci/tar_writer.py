"""Writing tar members: ustar, with a pax header where ustar cannot say it.

Source: POSIX.1-2017 pax. The same entry always gives the same bytes, so a
layer made twice has one digest.
"""

from lading.oci.tar import BLOCK, Entry

END = bytes(2 * BLOCK)

_MAX_OCTAL_7 = 0o7777777
_MAX_OCTAL_11 = 0o77777777777


def padding(size: int) -> bytes:
    """What fills up the last block of `size` bytes of data."""
    return bytes(-size % BLOCK)


def header(entry: Entry) -> bytes:
    """The blocks that come before the data of `entry`, which is not sparse."""
    pax = _pax_records(entry)
    block = _ustar(entry)
    if not pax:
        return block
    body = b"".join(_record(key, value) for key, value in pax)
    lead = Entry(b"PaxHeaders.0/" + entry.name[-80:].replace(b"\0", b""), b"x", size=len(body))
    return _ustar(lead) + body + padding(len(body)) + block


def _pax_records(entry: Entry) -> list[tuple[bytes, bytes]]:
    records: list[tuple[bytes, bytes]] = []
    if _split(entry.name) is None:
        records.append((b"path", entry.name))
    if len(entry.link) > 100:
        records.append((b"linkpath", entry.link))
    if entry.size > _MAX_OCTAL_11:
        records.append((b"size", b"%d" % entry.size))
    for key, value in ((b"uid", entry.uid), (b"gid", entry.gid)):
        if value > _MAX_OCTAL_7:
            records.append((key, b"%d" % value))
    seconds, fraction = divmod(entry.mtime_ns, 1_000_000_000)
    if fraction or not 0 <= seconds <= _MAX_OCTAL_11:
        records.append((b"mtime", _time(entry.mtime_ns)))
    for name, content in sorted((entry.xattrs or {}).items()):
        records.append((b"SCHILY.xattr." + name, content))
    return records


def _time(nanoseconds: int) -> bytes:
    seconds, fraction = divmod(abs(nanoseconds), 1_000_000_000)
    sign = b"-" if nanoseconds < 0 else b""
    return (b"%s%d.%09d" % (sign, seconds, fraction)).rstrip(b"0").rstrip(b".")


def _record(key: bytes, value: bytes) -> bytes:
    """`length key=value`, where the length counts its own digits."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    if len(str(length)) > len(str(rest)):
        length += 1
    return b"%d %s=%s\n" % (length, key, value)


def _split(name: bytes) -> tuple[bytes, bytes] | None:
    """Prefix and name as ustar can hold them, or None where it cannot."""
    if len(name) <= 100:
        return b"", name
    slash = name.rfind(b"/", 0, 156)
    if slash <= 0 or not 0 < len(name) - slash - 1 <= 100:
        return None
    return name[:slash], name[slash + 1 :]


def _ustar(entry: Entry) -> bytes:
    prefix, name = _split(entry.name) or (b"", entry.name[:100])
    seconds = entry.mtime_ns // 1_000_000_000
    block = bytearray(BLOCK)
    fields = (
        (0, name),
        (100, b"%07o\0" % entry.mode),
        (108, b"%07o\0" % min(entry.uid, _MAX_OCTAL_7)),
        (116, b"%07o\0" % min(entry.gid, _MAX_OCTAL_7)),
        (124, b"%011o\0" % min(entry.size, _MAX_OCTAL_11)),
        (136, b"%011o\0" % min(max(seconds, 0), _MAX_OCTAL_11)),
        (148, b"        "),
        (156, entry.type),
        (157, entry.link[:100]),
        (257, b"ustar\x0000"),
        (329, b"%07o\0" % entry.device_major),
        (337, b"%07o\0" % entry.device_minor),
        (345, prefix),
    )
    for at, value in fields:
        block[at : at + len(value)] = value
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)

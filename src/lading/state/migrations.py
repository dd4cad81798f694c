"""Every table of the engine. A released migration is never changed, only followed."""

_FIRST = """
-- daemon: what names this engine
CREATE TABLE engine (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- content, snapshots, images
CREATE TABLE blobs (
    digest     TEXT PRIMARY KEY,
    size       INTEGER NOT NULL,
    media_type TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE layers (
    chain_id    TEXT PRIMARY KEY,
    diff_id     TEXT NOT NULL,
    parent      TEXT REFERENCES layers (chain_id),
    size        INTEGER NOT NULL,
    directory   TEXT NOT NULL UNIQUE,
    blob_digest TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE images (
    id              TEXT PRIMARY KEY,
    created_ns      INTEGER NOT NULL,
    size            INTEGER NOT NULL,
    chain_id        TEXT,
    manifest_digest TEXT NOT NULL DEFAULT '',
    parent          TEXT NOT NULL DEFAULT '',
    unsettled       TEXT NOT NULL DEFAULT '', -- the boot in which it came, until its data is on the disk
    record          BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE image_refs (
    ref      TEXT PRIMARY KEY,
    image_id TEXT NOT NULL REFERENCES images (id)
) WITHOUT ROWID;
CREATE INDEX image_refs_by_image ON image_refs (image_id);
CREATE TABLE writable_snapshots (
    key       TEXT PRIMARY KEY,
    parent    TEXT,
    directory TEXT NOT NULL UNIQUE
) WITHOUT ROWID;

-- network
CREATE TABLE networks (
    id     TEXT PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,
    record BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE endpoints (
    id           TEXT PRIMARY KEY,
    container_id TEXT NOT NULL,
    network_id   TEXT NOT NULL,
    record       BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX endpoints_by_container ON endpoints (container_id);
CREATE TABLE port_leases (
    proto        TEXT NOT NULL,
    host_ip      TEXT NOT NULL,
    port         INTEGER NOT NULL,
    container_id TEXT NOT NULL,
    target       TEXT NOT NULL,
    PRIMARY KEY (proto, host_ip, port)
) WITHOUT ROWID;
CREATE INDEX port_leases_by_container ON port_leases (container_id);

-- volumes
CREATE TABLE volumes (
    name       TEXT PRIMARY KEY,
    created_ns INTEGER NOT NULL,
    driver     TEXT NOT NULL,
    labels     TEXT NOT NULL,
    options    TEXT NOT NULL,
    anonymous  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE volume_uses (
    volume       TEXT NOT NULL REFERENCES volumes (name),
    container_id TEXT NOT NULL,
    PRIMARY KEY (volume, container_id)
) WITHOUT ROWID;

-- containers
CREATE TABLE containers (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_ns INTEGER NOT NULL,
    image_id   TEXT NOT NULL,
    definition BLOB NOT NULL,
    state      BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE execs (
    id           TEXT PRIMARY KEY,
    container_id TEXT NOT NULL REFERENCES containers (id),
    record       BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX execs_by_container ON execs (container_id);
"""

MIGRATIONS = (_FIRST,)

-- Data nodes at a point in time: copies of their files, and their logs, archived without a gap.

-- How the files of a data node are copied, sealed; none if they are not.
ALTER TABLE ddm_data_nodes ADD COLUMN physical_sealed BLOB;

-- Where the layer's own log was when the backup was taken.
ALTER TABLE ddm_backups ADD COLUMN log_file TEXT;
ALTER TABLE ddm_backups ADD COLUMN log_offset INTEGER;

-- A copy of a data node's files. It outlives its instance, as backups of metadata do.
CREATE TABLE ddm_node_backups (
    project_id  TEXT NOT NULL REFERENCES projects (id),
    id          TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    node_id     TEXT NOT NULL,
    node_name   TEXT NOT NULL,
    status      TEXT NOT NULL,
    file_bytes  INTEGER NOT NULL,
    manifest_id TEXT,
    -- The run of the server's log that it belongs to, and the place in it from which on the log
    -- follows the copy; none if the server keeps no log.
    epoch       INTEGER,
    log_file    TEXT,
    log_offset  INTEGER,
    gtid        TEXT,
    lsn         TEXT,
    -- The server's clock behind the copy, in seconds since 1970.
    from_second INTEGER,
    fail_reason TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX ddm_node_backups_node ON ddm_node_backups (project_id, node_id, created_at);
CREATE INDEX ddm_node_backups_instance ON ddm_node_backups (project_id, instance_id, created_at);

-- A piece of a server's log. Pieces of one epoch follow each other without a gap.
CREATE TABLE ddm_log_parts (
    project_id   TEXT NOT NULL REFERENCES projects (id),
    -- The data node, or the layer.
    server_id    TEXT NOT NULL,
    seq          INTEGER NOT NULL,
    instance_id  TEXT NOT NULL,
    epoch        INTEGER NOT NULL,
    file         TEXT NOT NULL,
    from_offset  INTEGER NOT NULL,
    to_offset    INTEGER NOT NULL,
    -- Changes of definitions: [place, second], …
    changes      TEXT NOT NULL,
    -- The server's clock when the epoch began, and up to which second the log is whole.
    from_second  INTEGER NOT NULL,
    until_second INTEGER NOT NULL,
    manifest_id  TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    PRIMARY KEY (project_id, server_id, seq)
) STRICT;
CREATE INDEX ddm_log_parts_instance ON ddm_log_parts (project_id, instance_id);

-- How far a server's log is archived.
CREATE TABLE ddm_logs (
    project_id    TEXT NOT NULL REFERENCES projects (id),
    server_id     TEXT NOT NULL,
    instance_id   TEXT NOT NULL,
    name          TEXT NOT NULL,
    epoch         INTEGER NOT NULL,
    from_second   INTEGER NOT NULL,
    until_second  INTEGER NOT NULL,
    file          TEXT,
    log_offset    INTEGER NOT NULL,
    head          TEXT,
    gtid          TEXT,
    -- Why the log could not be read on last time; none if it could.
    problem       TEXT,
    -- The last gap: what is missing, and since when.
    gap           TEXT,
    gap_at        INTEGER,
    looked_at     INTEGER NOT NULL,
    PRIMARY KEY (project_id, server_id)
) STRICT;
CREATE INDEX ddm_logs_instance ON ddm_logs (project_id, instance_id);

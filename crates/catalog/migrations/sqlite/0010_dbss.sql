-- Directories of audit logs, the backups of what is in them, and when these are made.

CREATE TABLE dbss_instances (
    project_id       TEXT NOT NULL REFERENCES projects (id),
    id               TEXT NOT NULL,
    name             TEXT NOT NULL,
    comment          TEXT NOT NULL,
    path             BLOB NOT NULL,
    format           TEXT NOT NULL,
    status           TEXT NOT NULL,
    -- Minutes that local times in the logs are ahead of UTC.
    zone_minutes     INTEGER NOT NULL,
    retention_days   INTEGER NOT NULL,
    -- From how full its disk is on it is backed up at once; 100 is never.
    hurry_percent    INTEGER NOT NULL,
    -- The switch of automatic backups.
    automatic        INTEGER NOT NULL,
    cycle            TEXT NOT NULL,
    trigger_at       INTEGER,
    bucket_name      TEXT NOT NULL,
    bucket_root_path TEXT NOT NULL,
    next_backup_at   INTEGER,
    switched_at      INTEGER,
    -- When a disk that fills up last asked for a backup.
    pressed_at       INTEGER,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    removed_at       INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX dbss_instances_due ON dbss_instances (next_backup_at)
    WHERE next_backup_at IS NOT NULL;

-- A backup outlives its instance, and its row its lines: the chain names it.
CREATE TABLE dbss_backups (
    project_id          TEXT NOT NULL REFERENCES projects (id),
    id                  TEXT NOT NULL,
    instance_id         TEXT NOT NULL,
    instance_name       TEXT NOT NULL,
    name                TEXT NOT NULL,
    automatic           INTEGER NOT NULL,
    progress            TEXT NOT NULL,
    -- What the progress was before a restore or a deletion.
    made                TEXT,
    start_at            INTEGER,
    end_at              INTEGER,
    file_bytes          INTEGER NOT NULL,
    lines               INTEGER NOT NULL,
    sha256              TEXT NOT NULL,
    sequence            INTEGER,
    manifest_id         TEXT,
    gaps                TEXT NOT NULL,
    lossy               INTEGER NOT NULL,
    -- Its lines laid out to be searched; none if they are not.
    restored_set        TEXT,
    backup_fail_reason  TEXT,
    restore_fail_reason TEXT,
    due_at              INTEGER,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    ended_at            INTEGER,
    expires_at          INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX dbss_backups_age ON dbss_backups (project_id, instance_id, created_at, id);
CREATE INDEX dbss_backups_expiry ON dbss_backups (expires_at) WHERE expires_at IS NOT NULL;

-- One durable job of ours, as its owner follows it.
CREATE TABLE dbss_tasks (
    project_id    TEXT NOT NULL REFERENCES projects (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    status        TEXT NOT NULL,
    instance_id   TEXT NOT NULL,
    instance_name TEXT NOT NULL,
    backup_id     TEXT,
    fail_reason   TEXT,
    -- What a verification found, signed.
    report        TEXT,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX dbss_tasks_age ON dbss_tasks (project_id, instance_id, created_at, id);

CREATE TABLE dbss_tags (
    project_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (project_id, instance_id, key),
    FOREIGN KEY (project_id, instance_id) REFERENCES dbss_instances (project_id, id)
) STRICT;

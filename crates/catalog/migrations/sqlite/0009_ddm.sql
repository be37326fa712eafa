-- Sharding layers, the database servers behind them, and the backups of what a layer knows.

CREATE TABLE ddm_instances (
    project_id     TEXT NOT NULL REFERENCES projects (id),
    id             TEXT NOT NULL,
    name           TEXT NOT NULL,
    provider       TEXT NOT NULL,
    host           TEXT NOT NULL,
    port           INTEGER NOT NULL,
    -- How the layer is reached, password and all, sealed under the master key.
    url_sealed     BLOB NOT NULL,
    version        TEXT NOT NULL,
    status         TEXT NOT NULL,
    keep_days      INTEGER NOT NULL,
    -- Minutes after midnight, UTC.
    backup_minute  INTEGER NOT NULL,
    next_backup_at INTEGER,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    removed_at     INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX ddm_instances_due ON ddm_instances (next_backup_at) WHERE next_backup_at IS NOT NULL;

CREATE TABLE ddm_data_nodes (
    project_id  TEXT NOT NULL,
    id          TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    host        TEXT NOT NULL,
    port        INTEGER NOT NULL,
    url_sealed  BLOB NOT NULL,
    engine      TEXT NOT NULL,
    version     TEXT NOT NULL,
    status      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    PRIMARY KEY (project_id, id),
    FOREIGN KEY (project_id, instance_id) REFERENCES ddm_instances (project_id, id)
) STRICT;
CREATE INDEX ddm_data_nodes_instance ON ddm_data_nodes (project_id, instance_id);

-- A backup outlives its instance, so it says by itself whose it was.
CREATE TABLE ddm_backups (
    project_id      TEXT NOT NULL REFERENCES projects (id),
    id              TEXT NOT NULL,
    name            TEXT NOT NULL,
    description     TEXT NOT NULL,
    status          TEXT NOT NULL,
    kind            TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    instance_name   TEXT NOT NULL,
    instance_status TEXT NOT NULL,
    data_nodes      TEXT NOT NULL,
    file_bytes      INTEGER NOT NULL,
    manifest_id     TEXT,
    taken_at        INTEGER,
    fail_reason     TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    expires_at      INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX ddm_backups_age ON ddm_backups (project_id, created_at, id);
CREATE INDEX ddm_backups_instance ON ddm_backups (project_id, instance_id, created_at);

-- What the vendor calls a job: one durable job of ours, as its owner follows it.
CREATE TABLE ddm_tasks (
    project_id    TEXT NOT NULL REFERENCES projects (id),
    id            TEXT NOT NULL,
    name          TEXT NOT NULL,
    status        TEXT NOT NULL,
    instance_id   TEXT NOT NULL,
    instance_name TEXT NOT NULL,
    database_name TEXT,
    fail_reason   TEXT,
    created_at    INTEGER NOT NULL,
    ended_at      INTEGER,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX ddm_tasks_age ON ddm_tasks (project_id, created_at, id);

CREATE TABLE ddm_tags (
    project_id  TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (project_id, instance_id, key),
    FOREIGN KEY (project_id, instance_id) REFERENCES ddm_instances (project_id, id)
) STRICT;

-- Where the backups of a project's databases are: one repository and its wrapped key.
CREATE TABLE database_depots (
    project_id      TEXT PRIMARY KEY REFERENCES projects (id),
    vault_id        TEXT NOT NULL UNIQUE,
    data_key_sealed BLOB NOT NULL,
    made            INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

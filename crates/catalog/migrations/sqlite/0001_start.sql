-- The first schema. Times are microseconds since 1970 in UTC, ids and states are text,
-- truth is 0 or 1, documents are JSON as text. Never edited once released.

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Who may do what.

CREATE TABLE domains (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE projects (
    id         TEXT PRIMARY KEY,
    domain_id  TEXT NOT NULL REFERENCES domains (id),
    name       TEXT NOT NULL,
    enabled    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE users (
    id                  TEXT PRIMARY KEY,
    domain_id           TEXT NOT NULL REFERENCES domains (id),
    name                TEXT NOT NULL,
    password_hash       BLOB,
    enabled             INTEGER NOT NULL,
    is_admin            INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    password_changed_at INTEGER NOT NULL,
    UNIQUE (domain_id, name)
) STRICT;

CREATE TABLE grants (
    user_id    TEXT NOT NULL REFERENCES users (id),
    project_id TEXT NOT NULL REFERENCES projects (id),
    role       TEXT NOT NULL,
    PRIMARY KEY (user_id, project_id, role)
) STRICT;

CREATE TABLE access_keys (
    access        TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id),
    secret_sealed BLOB NOT NULL,
    status        TEXT NOT NULL,
    description   TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER
) STRICT;
CREATE INDEX access_keys_user ON access_keys (user_id);

CREATE TABLE tokens (
    hash       BLOB PRIMARY KEY,
    user_id    TEXT NOT NULL REFERENCES users (id),
    scope      TEXT NOT NULL,
    methods    TEXT NOT NULL,
    issued_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX tokens_user ON tokens (user_id);
CREATE INDEX tokens_expiry ON tokens (expires_at);

-- What is protected, and where to.

CREATE TABLE resources (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES projects (id),
    kind       TEXT NOT NULL,
    name       TEXT NOT NULL,
    path       BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    removed_at INTEGER,
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX resources_order ON resources (project_id, created_at, id);

CREATE TABLE vaults (
    id                    TEXT PRIMARY KEY,
    project_id            TEXT NOT NULL REFERENCES projects (id),
    user_id               TEXT NOT NULL,
    name                  TEXT NOT NULL,
    description           TEXT,
    status                TEXT NOT NULL,
    size_gib              INTEGER NOT NULL,
    used_bytes            INTEGER NOT NULL,
    object_type           TEXT NOT NULL,
    protect_type          TEXT NOT NULL,
    consistent_level      TEXT NOT NULL,
    cloud_type            TEXT NOT NULL,
    charging_mode         TEXT NOT NULL,
    is_multi_az           INTEGER NOT NULL,
    auto_bind             INTEGER NOT NULL,
    bind_rules            TEXT NOT NULL,
    auto_expand           INTEGER NOT NULL,
    threshold             INTEGER NOT NULL,
    smn_notify            INTEGER NOT NULL,
    locked                INTEGER NOT NULL,
    backup_name_prefix    TEXT,
    demand_billing        INTEGER NOT NULL,
    enterprise_project_id TEXT NOT NULL,
    availability_zone     TEXT,
    data_key_sealed       BLOB NOT NULL,
    created_at            INTEGER NOT NULL,
    updated_at            INTEGER NOT NULL,
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX vaults_order ON vaults (project_id, created_at, id);

-- A resource sits in one vault at most.
CREATE TABLE vault_resources (
    project_id        TEXT NOT NULL,
    vault_id          TEXT NOT NULL,
    resource_id       TEXT NOT NULL UNIQUE,
    protect_status    TEXT NOT NULL,
    extra_info        TEXT NOT NULL,
    backup_size_bytes INTEGER NOT NULL,
    backup_count      INTEGER NOT NULL,
    added_at          INTEGER NOT NULL,
    PRIMARY KEY (project_id, vault_id, resource_id),
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id),
    FOREIGN KEY (project_id, resource_id) REFERENCES resources (project_id, id)
) STRICT;

CREATE TABLE vault_tags (
    project_id TEXT NOT NULL,
    vault_id   TEXT NOT NULL,
    key        TEXT NOT NULL,
    value      TEXT NOT NULL,
    PRIMARY KEY (project_id, vault_id, key),
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id)
) STRICT;

-- What has been kept.

CREATE TABLE checkpoints (
    id                TEXT PRIMARY KEY,
    project_id        TEXT NOT NULL,
    vault_id          TEXT NOT NULL,
    status            TEXT NOT NULL,
    name              TEXT NOT NULL,
    description       TEXT,
    retention_days    INTEGER,
    skipped           TEXT NOT NULL,
    incremental_asked INTEGER NOT NULL,
    auto_trigger      INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    UNIQUE (project_id, id),
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id)
) STRICT;
CREATE INDEX checkpoints_vault ON checkpoints (project_id, vault_id, created_at, id);

-- A backup outlives the resource's place in its vault, so it keeps the resource's name and size.
CREATE TABLE backups (
    id                  TEXT PRIMARY KEY,
    project_id          TEXT NOT NULL,
    vault_id            TEXT NOT NULL,
    checkpoint_id       TEXT NOT NULL,
    resource_id         TEXT NOT NULL,
    resource_name       TEXT NOT NULL,
    kind                TEXT NOT NULL,
    resource_size_bytes INTEGER NOT NULL,
    name                TEXT NOT NULL,
    description         TEXT,
    status              TEXT NOT NULL,
    incremental_asked   INTEGER NOT NULL,
    incremental         INTEGER NOT NULL,
    parent_id           TEXT,
    manifest_id         TEXT,
    stored_bytes        INTEGER NOT NULL,
    unique_bytes        INTEGER NOT NULL,
    logical_bytes       INTEGER NOT NULL,
    items               INTEGER NOT NULL,
    problems            TEXT NOT NULL,
    fail_reason         TEXT,
    auto_trigger        INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    protected_at        INTEGER,
    expired_at          INTEGER,
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id),
    FOREIGN KEY (project_id, checkpoint_id) REFERENCES checkpoints (project_id, id)
) STRICT;
CREATE INDEX backups_order ON backups (project_id, created_at, id);
CREATE INDEX backups_vault ON backups (project_id, vault_id, created_at);
CREATE INDEX backups_checkpoint ON backups (project_id, checkpoint_id);
CREATE INDEX backups_resource ON backups (project_id, resource_id, created_at);

-- What the service knows of a vault's repository beside the repository itself.
CREATE TABLE repositories (
    vault_id        TEXT PRIMARY KEY,
    project_id      TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    stored_bytes    INTEGER NOT NULL,
    last_collect_at INTEGER,
    last_check_at   INTEGER,
    check_problems  TEXT NOT NULL,
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id)
) STRICT;

-- What is being done and what was done. Logs outlive what they speak of.

CREATE TABLE operation_logs (
    id             TEXT PRIMARY KEY,
    project_id     TEXT NOT NULL REFERENCES projects (id),
    vault_id       TEXT,
    vault_name     TEXT,
    checkpoint_id  TEXT,
    backup_id      TEXT,
    resource_id    TEXT,
    resource_name  TEXT,
    resource_kind  TEXT,
    operation_type TEXT NOT NULL,
    status         TEXT NOT NULL,
    progress       INTEGER NOT NULL,
    error_code     TEXT,
    error_message  TEXT,
    job_id         TEXT,
    request_id     TEXT NOT NULL,
    extra          TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    started_at     INTEGER,
    ended_at       INTEGER,
    updated_at     INTEGER NOT NULL
) STRICT;
CREATE INDEX operation_logs_order ON operation_logs (project_id, created_at, id);
CREATE INDEX operation_logs_vault ON operation_logs (project_id, vault_id, created_at);
CREATE INDEX operation_logs_job ON operation_logs (job_id);

CREATE TABLE jobs (
    id               TEXT PRIMARY KEY,
    seq              INTEGER NOT NULL UNIQUE,
    kind             TEXT NOT NULL,
    params           TEXT NOT NULL,
    exclusive_key    TEXT,
    state            TEXT NOT NULL,
    position         INTEGER NOT NULL,
    attempts         INTEGER NOT NULL,
    progress         INTEGER NOT NULL,
    ending           TEXT,
    trouble          TEXT,
    cancel_requested INTEGER NOT NULL,
    not_before       INTEGER NOT NULL,
    fence            INTEGER NOT NULL,
    leased_by        TEXT,
    leased_until     INTEGER,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    ended_at         INTEGER
) STRICT;
CREATE INDEX jobs_unfinished ON jobs (seq) WHERE ended_at IS NULL;
CREATE INDEX jobs_exclusive ON jobs (exclusive_key, seq) WHERE ended_at IS NULL;

CREATE TABLE job_steps (
    job_id   TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    step     TEXT NOT NULL,
    output   TEXT NOT NULL,
    PRIMARY KEY (job_id, position)
) STRICT;

-- Who did what: only ever added to.

CREATE TABLE audit (
    seq        INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    project_id TEXT,
    who        TEXT NOT NULL,
    source     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    operation  TEXT NOT NULL,
    target     TEXT NOT NULL,
    outcome    TEXT NOT NULL
) STRICT;
CREATE INDEX audit_project ON audit (project_id, seq);

CREATE TRIGGER audit_is_not_edited BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_is_not_cut BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;

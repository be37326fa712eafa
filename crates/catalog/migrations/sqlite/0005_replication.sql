-- Copies in other regions, notes beside the data, and the proof that data are good.

-- The region whose store holds the data; null is this service's own.
ALTER TABLE vaults ADD COLUMN region TEXT;

-- What was last written beside a vault's data, so that the catalog can be made anew.
CREATE TABLE vault_notes (
    vault_id   TEXT PRIMARY KEY,
    project_id TEXT NOT NULL,
    digest     BLOB NOT NULL,
    noted_at   INTEGER NOT NULL,
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id)
) STRICT;

-- A copy of a backup that was asked for. Both ends may be gone by now.
CREATE TABLE replications (
    id                        TEXT PRIMARY KEY,
    project_id                TEXT NOT NULL REFERENCES projects (id),
    backup_id                 TEXT NOT NULL,
    vault_id                  TEXT NOT NULL,
    source_region             TEXT NOT NULL,
    destination_project_id    TEXT NOT NULL,
    destination_region        TEXT NOT NULL,
    destination_vault_id      TEXT NOT NULL,
    destination_checkpoint_id TEXT NOT NULL,
    destination_backup_id     TEXT NOT NULL,
    status                    TEXT NOT NULL,
    error_code                TEXT,
    error_message             TEXT,
    created_at                INTEGER NOT NULL,
    updated_at                INTEGER NOT NULL
) STRICT;
CREATE INDEX replications_backup ON replications (project_id, backup_id, created_at);
CREATE INDEX replications_copy ON replications (destination_backup_id);

-- How far the round of checks over a vault's data has come, and what it found.
CREATE TABLE vault_checks (
    vault_id      TEXT PRIMARY KEY,
    project_id    TEXT NOT NULL,
    parts         INTEGER NOT NULL,
    next_part     INTEGER NOT NULL,
    looked_at     INTEGER NOT NULL,
    round_at      INTEGER,
    packs         INTEGER NOT NULL,
    bytes         INTEGER NOT NULL,
    healed        INTEGER NOT NULL,
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id)
) STRICT;

-- What the last check that looked at a backup found.
CREATE TABLE backup_checks (
    backup_id  TEXT PRIMARY KEY,
    project_id TEXT NOT NULL,
    vault_id   TEXT NOT NULL,
    checked_at INTEGER NOT NULL,
    problem    TEXT
) STRICT;
CREATE INDEX backup_checks_vault ON backup_checks (project_id, vault_id);

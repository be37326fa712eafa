-- Policies: when the backups of a vault are made, and how long they stay.

CREATE TABLE policies (
    id                   TEXT PRIMARY KEY,
    project_id           TEXT NOT NULL REFERENCES projects (id),
    name                 TEXT NOT NULL,
    operation_type       TEXT NOT NULL,
    enabled              INTEGER NOT NULL,
    definition           TEXT NOT NULL,
    trigger_id           TEXT NOT NULL,
    pattern              TEXT NOT NULL,
    start_window_minutes INTEGER,
    started_at           INTEGER NOT NULL,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    UNIQUE (project_id, id)
) STRICT;
CREATE INDEX policies_order ON policies (project_id, created_at, id);

-- A vault has one policy of each type at most. due_at and start_at are the next run of a policy
-- that is enabled: the instant of its calendar, and when it really starts.
CREATE TABLE vault_policies (
    project_id           TEXT NOT NULL,
    vault_id             TEXT NOT NULL,
    policy_id            TEXT NOT NULL,
    operation_type       TEXT NOT NULL,
    destination_vault_id TEXT,
    runs                 INTEGER NOT NULL,
    due_at               INTEGER,
    start_at             INTEGER,
    added_at             INTEGER NOT NULL,
    PRIMARY KEY (project_id, vault_id, operation_type),
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id),
    FOREIGN KEY (project_id, policy_id) REFERENCES policies (project_id, id)
) STRICT;
CREATE INDEX vault_policies_policy ON vault_policies (project_id, policy_id);
CREATE INDEX vault_policies_start ON vault_policies (start_at, vault_id) WHERE start_at IS NOT NULL;

-- What came of each instant of a calendar, once: whoever writes the row first does the work. The
-- era grows when the clock is set back, for then the same instants come again.
CREATE TABLE policy_runs (
    seq           INTEGER PRIMARY KEY,
    project_id    TEXT NOT NULL,
    vault_id      TEXT NOT NULL,
    policy_id     TEXT NOT NULL,
    era           INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    checkpoint_id TEXT,
    decided_at    INTEGER NOT NULL,
    UNIQUE (vault_id, policy_id, era, due_at)
) STRICT;
CREATE INDEX policy_runs_age ON policy_runs (decided_at);

-- The backups that a calendar asked for, in the order of their runs, with the rule they were made
-- under. The row goes with its backup.
CREATE TABLE scheduled_backups (
    backup_id   TEXT PRIMARY KEY REFERENCES backups (id) ON DELETE CASCADE,
    project_id  TEXT NOT NULL,
    vault_id    TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    policy_id   TEXT NOT NULL,
    run         INTEGER NOT NULL,
    due_at      INTEGER NOT NULL,
    max_backups INTEGER
) STRICT;
CREATE INDEX scheduled_backups_order ON scheduled_backups (project_id, vault_id, resource_id, run);

-- By which vaults that bind resources by themselves find them.
CREATE TABLE resource_tags (
    project_id  TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    key         TEXT NOT NULL,
    value       TEXT NOT NULL,
    PRIMARY KEY (project_id, resource_id, key),
    FOREIGN KEY (project_id, resource_id) REFERENCES resources (project_id, id)
) STRICT;

-- Whether the policy of the vault covers the resource.
ALTER TABLE vault_resources ADD COLUMN auto_protect INTEGER NOT NULL DEFAULT 1;

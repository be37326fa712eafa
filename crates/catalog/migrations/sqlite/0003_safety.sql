-- Sharing, agents, policies of an organization, enterprise projects; locks, guards and what was
-- deleted but can still be brought back. Never edited once released.

-- A backup that its project shares with another one.
CREATE TABLE members (
    id              TEXT PRIMARY KEY,
    project_id      TEXT NOT NULL,
    backup_id       TEXT NOT NULL REFERENCES backups (id) ON DELETE CASCADE,
    dest_project_id TEXT NOT NULL REFERENCES projects (id),
    status          TEXT NOT NULL,
    vault_id        TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER,
    UNIQUE (backup_id, dest_project_id)
) STRICT;
CREATE INDEX members_receiver ON members (dest_project_id, status);

-- A backup client on a host. It names itself, so the same id may turn up in two projects.
CREATE TABLE agents (
    project_id     TEXT NOT NULL REFERENCES projects (id),
    id             TEXT NOT NULL,
    host_name      TEXT NOT NULL,
    host_nickname  TEXT NOT NULL,
    host_ip        TEXT NOT NULL,
    host_os        TEXT NOT NULL,
    version        TEXT NOT NULL,
    kind           TEXT NOT NULL,
    status         TEXT NOT NULL,
    paths          TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER,
    last_active_at INTEGER NOT NULL,
    PRIMARY KEY (project_id, id)
) STRICT;
CREATE INDEX agents_order ON agents (project_id, created_at, id);

CREATE TABLE organization_policies (
    id              TEXT PRIMARY KEY,
    domain_id       TEXT NOT NULL REFERENCES domains (id),
    name            TEXT NOT NULL,
    description     TEXT,
    operation_type  TEXT NOT NULL,
    policy_name     TEXT NOT NULL,
    policy_enabled  INTEGER NOT NULL,
    definition      TEXT NOT NULL,
    policy_trigger  TEXT NOT NULL,
    effective_scope TEXT,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL
) STRICT;
CREATE INDEX organization_policies_order ON organization_policies (domain_id, created_at, id);

-- What became of an organization's policy in one project.
CREATE TABLE organization_policy_rollouts (
    organization_policy_id TEXT NOT NULL
        REFERENCES organization_policies (id) ON DELETE CASCADE,
    project_id             TEXT NOT NULL REFERENCES projects (id),
    policy_id              TEXT,
    status                 TEXT NOT NULL,
    PRIMARY KEY (organization_policy_id, project_id)
) STRICT;

CREATE TABLE enterprise_projects (
    id          TEXT PRIMARY KEY,
    domain_id   TEXT NOT NULL REFERENCES domains (id),
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    enabled     INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    UNIQUE (domain_id, name)
) STRICT;

-- Which vault went from which enterprise project to which. Outlives all of them.
CREATE TABLE enterprise_migrations (
    seq           INTEGER PRIMARY KEY,
    domain_id     TEXT NOT NULL REFERENCES domains (id),
    at            INTEGER NOT NULL,
    user_id       TEXT NOT NULL,
    user_name     TEXT NOT NULL,
    project_id    TEXT NOT NULL,
    project_name  TEXT NOT NULL,
    vault_id      TEXT NOT NULL,
    vault_name    TEXT NOT NULL,
    from_id       TEXT NOT NULL,
    to_id         TEXT NOT NULL,
    outcome       TEXT NOT NULL
) STRICT;
CREATE INDEX enterprise_migrations_domain ON enterprise_migrations (domain_id, at, seq);
CREATE INDEX vaults_enterprise ON vaults (enterprise_project_id, project_id);

-- How careful the service is with a vault; no row means as the installation says.
CREATE TABLE vault_safety (
    project_id   TEXT NOT NULL,
    vault_id     TEXT NOT NULL,
    guarded      INTEGER NOT NULL,
    locks_manual INTEGER NOT NULL,
    grace_days   INTEGER,
    PRIMARY KEY (project_id, vault_id),
    FOREIGN KEY (project_id, vault_id) REFERENCES vaults (project_id, id) ON DELETE CASCADE
) STRICT;

-- What was deleted and can be brought back until `purge_at`. Whoever asks for backups or vaults
-- does not see rows that are in the trash.
ALTER TABLE backups ADD COLUMN trashed_at INTEGER;
ALTER TABLE backups ADD COLUMN purge_at INTEGER;
CREATE INDEX backups_trash ON backups (purge_at) WHERE trashed_at IS NOT NULL;

ALTER TABLE vaults ADD COLUMN trashed_at INTEGER;
ALTER TABLE vaults ADD COLUMN purge_at INTEGER;
ALTER TABLE vaults ADD COLUMN trashed_resources TEXT;
CREATE INDEX vaults_trash ON vaults (purge_at) WHERE trashed_at IS NOT NULL;

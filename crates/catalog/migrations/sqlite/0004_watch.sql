-- Who may do what beyond the roles, and proof that the audit trail is whole.

-- Custom policies: the vendor's JSON, as it was given.
CREATE TABLE permission_policies (
    domain_id  TEXT NOT NULL REFERENCES domains (id),
    name       TEXT NOT NULL,
    document   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (domain_id, name)
) STRICT;

-- Whom a policy concerns: in one project, or without a project everywhere in the account.
CREATE TABLE permission_grants (
    user_id    TEXT NOT NULL REFERENCES users (id),
    domain_id  TEXT NOT NULL,
    policy     TEXT NOT NULL,
    project_id TEXT REFERENCES projects (id),
    FOREIGN KEY (domain_id, policy) REFERENCES permission_policies (domain_id, name)
) STRICT;
CREATE UNIQUE INDEX permission_grants_once
    ON permission_grants (user_id, domain_id, policy, COALESCE(project_id, ''));

-- One seal per audit record: a keyed hash over the record and the seal before it. A table of its
-- own, because records are never edited, not even to be sealed.
CREATE TABLE audit_seals (
    seq  INTEGER PRIMARY KEY,
    seal BLOB NOT NULL
) STRICT;
CREATE TRIGGER audit_seals_are_not_edited BEFORE UPDATE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;
CREATE TRIGGER audit_seals_are_not_cut BEFORE DELETE ON audit_seals
BEGIN SELECT RAISE(ABORT, 'the audit trail is only added to'); END;

-- What the watchdog found: raised once, cleared once, kept for a while.
CREATE TABLE alarms (
    seq         INTEGER PRIMARY KEY,
    kind        TEXT NOT NULL,
    project_id  TEXT NOT NULL REFERENCES projects (id),
    vault_id    TEXT NOT NULL,
    vault_name  TEXT NOT NULL,
    resource_id TEXT,
    resource_name TEXT,
    message     TEXT NOT NULL,
    notify      INTEGER NOT NULL,
    raised_at   INTEGER NOT NULL,
    cleared_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX alarms_open ON alarms (kind, vault_id, COALESCE(resource_id, ''))
    WHERE cleared_at IS NULL;
CREATE INDEX alarms_project ON alarms (project_id, seq);

-- Where people are told. What a channel needs (addresses, passwords) is sealed by the master key.
CREATE TABLE channels (
    name            TEXT PRIMARY KEY,
    kind            TEXT NOT NULL,
    project_id      TEXT REFERENCES projects (id),
    settings_sealed BLOB NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

-- What is still to be told, written with the alarm it tells of.
CREATE TABLE notifications (
    seq          INTEGER PRIMARY KEY,
    channel      TEXT NOT NULL,
    message      TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    not_before   INTEGER NOT NULL,
    problem      TEXT,
    delivered_at INTEGER,
    given_up_at  INTEGER
) STRICT;
CREATE INDEX notifications_waiting ON notifications (not_before)
    WHERE delivered_at IS NULL AND given_up_at IS NULL;

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

-- What is counted once and kept true, so that no list or sum is counted when it is asked for; and
-- an index for each filter and order of the list of backups. Triggers keep the counts in the very
-- statement that changes what they count, so no code can forget them.

-- The sums over a project's vaults, and how many resources are in them.
CREATE TABLE project_usage (
    project_id TEXT PRIMARY KEY,
    vaults     INTEGER NOT NULL,
    size_gib   INTEGER NOT NULL,
    used_bytes INTEGER NOT NULL,
    resources  INTEGER NOT NULL
) STRICT;

-- How many backups there are of each sort; the columns are called as in `backups`, so that one
-- filter fits both. What is in the trash does not count.
CREATE TABLE backup_counts (
    project_id        TEXT NOT NULL,
    vault_id          TEXT NOT NULL,
    status            TEXT NOT NULL,
    kind              TEXT NOT NULL,
    incremental       INTEGER NOT NULL,
    incremental_asked INTEGER NOT NULL,
    backups           INTEGER NOT NULL,
    PRIMARY KEY (project_id, vault_id, status, kind, incremental, incremental_asked)
) STRICT, WITHOUT ROWID;

-- How many backups were asked for on each day since 1970.
CREATE TABLE backup_days (
    project_id TEXT NOT NULL,
    day        INTEGER NOT NULL,
    backups    INTEGER NOT NULL,
    PRIMARY KEY (project_id, day)
) STRICT, WITHOUT ROWID;

INSERT INTO project_usage
    SELECT project_id, COUNT(*), SUM(size_gib), SUM(used_bytes),
           (SELECT COUNT(*) FROM vault_resources r WHERE r.project_id = v.project_id)
    FROM vaults v WHERE trashed_at IS NULL GROUP BY project_id;
INSERT INTO backup_counts
    SELECT project_id, vault_id, status, kind, incremental, incremental_asked, COUNT(*)
    FROM backups WHERE trashed_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6;
INSERT INTO backup_days
    SELECT project_id, created_at / 86400000000 - (created_at % 86400000000 < 0), COUNT(*)
    FROM backups WHERE trashed_at IS NULL GROUP BY 1, 2;

CREATE TRIGGER usage_of_new_vault AFTER INSERT ON vaults WHEN NEW.trashed_at IS NULL
BEGIN
    INSERT INTO project_usage VALUES (NEW.project_id, 1, NEW.size_gib, NEW.used_bytes, 0)
        ON CONFLICT (project_id) DO UPDATE SET vaults = vaults + 1,
            size_gib = size_gib + NEW.size_gib, used_bytes = used_bytes + NEW.used_bytes;
END;

CREATE TRIGGER usage_of_old_vault AFTER DELETE ON vaults WHEN OLD.trashed_at IS NULL
BEGIN
    UPDATE project_usage SET vaults = vaults - 1, size_gib = size_gib - OLD.size_gib,
        used_bytes = used_bytes - OLD.used_bytes WHERE project_id = OLD.project_id;
END;

CREATE TRIGGER usage_of_vault AFTER UPDATE ON vaults
WHEN OLD.size_gib <> NEW.size_gib OR OLD.used_bytes <> NEW.used_bytes
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE project_usage SET
        vaults = vaults + (NEW.trashed_at IS NULL) - (OLD.trashed_at IS NULL),
        size_gib = size_gib + NEW.size_gib * (NEW.trashed_at IS NULL)
            - OLD.size_gib * (OLD.trashed_at IS NULL),
        used_bytes = used_bytes + NEW.used_bytes * (NEW.trashed_at IS NULL)
            - OLD.used_bytes * (OLD.trashed_at IS NULL)
        WHERE project_id = NEW.project_id;
END;

CREATE TRIGGER usage_of_new_place AFTER INSERT ON vault_resources
BEGIN
    UPDATE project_usage SET resources = resources + 1 WHERE project_id = NEW.project_id;
END;

CREATE TRIGGER usage_of_old_place AFTER DELETE ON vault_resources
BEGIN
    UPDATE project_usage SET resources = resources - 1 WHERE project_id = OLD.project_id;
END;

CREATE TRIGGER count_of_new_backup AFTER INSERT ON backups WHEN NEW.trashed_at IS NULL
BEGIN
    INSERT INTO backup_counts VALUES (NEW.project_id, NEW.vault_id, NEW.status, NEW.kind,
            NEW.incremental, NEW.incremental_asked, 1)
        ON CONFLICT DO UPDATE SET backups = backups + 1;
    INSERT INTO backup_days VALUES (NEW.project_id,
            NEW.created_at / 86400000000 - (NEW.created_at % 86400000000 < 0), 1)
        ON CONFLICT DO UPDATE SET backups = backups + 1;
END;

CREATE TRIGGER count_of_old_backup AFTER DELETE ON backups WHEN OLD.trashed_at IS NULL
BEGIN
    UPDATE backup_counts SET backups = backups - 1
        WHERE project_id = OLD.project_id AND vault_id = OLD.vault_id AND status = OLD.status
        AND kind = OLD.kind AND incremental = OLD.incremental
        AND incremental_asked = OLD.incremental_asked;
    DELETE FROM backup_counts
        WHERE project_id = OLD.project_id AND vault_id = OLD.vault_id AND backups = 0;
    UPDATE backup_days SET backups = backups - 1 WHERE project_id = OLD.project_id
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0);
    DELETE FROM backup_days WHERE project_id = OLD.project_id AND backups = 0
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0);
END;

CREATE TRIGGER count_of_backup AFTER UPDATE ON backups
WHEN OLD.status <> NEW.status OR OLD.incremental <> NEW.incremental
    OR OLD.incremental_asked <> NEW.incremental_asked OR OLD.kind <> NEW.kind
    OR OLD.vault_id <> NEW.vault_id OR OLD.created_at <> NEW.created_at
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_counts SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL
        AND project_id = OLD.project_id AND vault_id = OLD.vault_id AND status = OLD.status
        AND kind = OLD.kind AND incremental = OLD.incremental
        AND incremental_asked = OLD.incremental_asked;
    INSERT INTO backup_counts SELECT NEW.project_id, NEW.vault_id, NEW.status, NEW.kind,
            NEW.incremental, NEW.incremental_asked, 1 WHERE NEW.trashed_at IS NULL
        ON CONFLICT DO UPDATE SET backups = backups + 1;
    DELETE FROM backup_counts
        WHERE project_id = OLD.project_id AND vault_id = OLD.vault_id AND backups = 0;
    UPDATE backup_days SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND project_id = OLD.project_id
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0);
    INSERT INTO backup_days SELECT NEW.project_id,
            NEW.created_at / 86400000000 - (NEW.created_at % 86400000000 < 0), 1
            WHERE NEW.trashed_at IS NULL
        ON CONFLICT DO UPDATE SET backups = backups + 1;
    DELETE FROM backup_days WHERE project_id = OLD.project_id AND backups = 0
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0);
END;

-- Each order of the list of backups, and each filter in the default order. The last column is
-- always null; it is there so that skipping and counting never look at the rows themselves.
DROP INDEX backups_order;
CREATE INDEX backups_order ON backups (project_id, created_at, id, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX backups_by_id ON backups (project_id, id, trashed_at) WHERE trashed_at IS NULL;
CREATE INDEX backups_updated ON backups (project_id, updated_at, id, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX backups_protected ON backups (project_id, COALESCE(protected_at, -1), id, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX backups_name ON backups (project_id, name, created_at, id, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX backups_status ON backups (project_id, status, created_at, id, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX backups_kind ON backups (project_id, kind, created_at, id, trashed_at)
    WHERE trashed_at IS NULL;
CREATE INDEX backups_resource_name ON backups
    (project_id, resource_name, created_at, id, trashed_at) WHERE trashed_at IS NULL;
CREATE INDEX backups_full ON backups (project_id, created_at, id, trashed_at)
    WHERE trashed_at IS NULL AND (incremental = 0 OR incremental_asked = 0);

-- These serve the ties between tables too, so they cover what is in the trash.
DROP INDEX backups_vault;
CREATE INDEX backups_vault ON backups (project_id, vault_id, created_at, id, trashed_at);
DROP INDEX backups_checkpoint;
CREATE INDEX backups_checkpoint ON backups (project_id, checkpoint_id, created_at, id, trashed_at);
DROP INDEX backups_resource;
CREATE INDEX backups_resource ON backups (project_id, resource_id, created_at, id, trashed_at);
CREATE INDEX backups_parts ON backups (project_id, parent_id, created_at, id, trashed_at)
    WHERE parent_id IS NOT NULL;
CREATE INDEX backups_expiry ON backups (expired_at) WHERE expired_at IS NOT NULL;

CREATE INDEX vault_resources_order ON vault_resources (project_id, added_at, resource_id);

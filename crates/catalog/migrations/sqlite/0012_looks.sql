-- One number that is another one whenever a right may have changed: whoever read it together with
-- what a session is made of knows by one look whether that still holds. Kept by the database in
-- the statement that makes the change, so that it holds for writers of other processes too
-- (`strongroom admin` beside `serve`). A token or a key that is new takes nothing from anybody.

CREATE TABLE identity_version (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO identity_version VALUES (1, 1);

CREATE TRIGGER version_of_changed_domain AFTER UPDATE ON domains
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_domain AFTER DELETE ON domains
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_project AFTER UPDATE ON projects
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_project AFTER DELETE ON projects
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_user AFTER UPDATE ON users
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_user AFTER DELETE ON users
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_new_grant AFTER INSERT ON grants
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_grant AFTER UPDATE ON grants
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_grant AFTER DELETE ON grants
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_new_policy AFTER INSERT ON permission_policies
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_policy AFTER UPDATE ON permission_policies
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_policy AFTER DELETE ON permission_policies
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_new_policy_grant AFTER INSERT ON permission_grants
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_policy_grant AFTER UPDATE ON permission_grants
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_policy_grant AFTER DELETE ON permission_grants
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_key AFTER UPDATE ON access_keys
WHEN OLD.user_id <> NEW.user_id OR OLD.secret_sealed <> NEW.secret_sealed
    OR OLD.status <> NEW.status
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_key AFTER DELETE ON access_keys
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_changed_token AFTER UPDATE ON tokens
BEGIN UPDATE identity_version SET version = version + 1; END;

CREATE TRIGGER version_of_old_token AFTER DELETE ON tokens
BEGIN UPDATE identity_version SET version = version + 1; END;

-- What lists need to cost the same however many backups there are.

-- How many backups there are of each sort and day, vaults together, for filters that speak of both.
CREATE TABLE backup_day_counts (
    project_id        TEXT NOT NULL,
    day               INTEGER NOT NULL,
    status            TEXT NOT NULL,
    kind              TEXT NOT NULL,
    incremental       INTEGER NOT NULL,
    incremental_asked INTEGER NOT NULL,
    backups           INTEGER NOT NULL,
    PRIMARY KEY (project_id, day, status, kind, incremental, incremental_asked)
) STRICT, WITHOUT ROWID;

INSERT INTO backup_day_counts
    SELECT project_id, created_at / 86400000000 - (created_at % 86400000000 < 0), status, kind,
           incremental, incremental_asked, COUNT(*)
    FROM backups WHERE trashed_at IS NULL GROUP BY 1, 2, 3, 4, 5, 6;

CREATE TRIGGER day_count_of_new_backup AFTER INSERT ON backups WHEN NEW.trashed_at IS NULL
BEGIN
    INSERT INTO backup_day_counts VALUES (NEW.project_id,
            NEW.created_at / 86400000000 - (NEW.created_at % 86400000000 < 0), NEW.status,
            NEW.kind, NEW.incremental, NEW.incremental_asked, 1)
        ON CONFLICT DO UPDATE SET backups = backups + 1;
END;

CREATE TRIGGER day_count_of_old_backup AFTER DELETE ON backups WHEN OLD.trashed_at IS NULL
BEGIN
    UPDATE backup_day_counts SET backups = backups - 1 WHERE project_id = OLD.project_id
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0)
        AND status = OLD.status AND kind = OLD.kind AND incremental = OLD.incremental
        AND incremental_asked = OLD.incremental_asked;
    DELETE FROM backup_day_counts WHERE project_id = OLD.project_id AND backups = 0
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0);
END;

CREATE TRIGGER day_count_of_backup AFTER UPDATE ON backups
WHEN OLD.status <> NEW.status OR OLD.incremental <> NEW.incremental
    OR OLD.incremental_asked <> NEW.incremental_asked OR OLD.kind <> NEW.kind
    OR OLD.created_at <> NEW.created_at
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_day_counts SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND project_id = OLD.project_id
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0)
        AND status = OLD.status AND kind = OLD.kind AND incremental = OLD.incremental
        AND incremental_asked = OLD.incremental_asked;
    INSERT INTO backup_day_counts SELECT NEW.project_id,
            NEW.created_at / 86400000000 - (NEW.created_at % 86400000000 < 0), NEW.status,
            NEW.kind, NEW.incremental, NEW.incremental_asked, 1 WHERE NEW.trashed_at IS NULL
        ON CONFLICT DO UPDATE SET backups = backups + 1;
    DELETE FROM backup_day_counts WHERE project_id = OLD.project_id AND backups = 0
        AND day = OLD.created_at / 86400000000 - (OLD.created_at % 86400000000 < 0);
END;

-- Where the places of each order of the list are: runs of at most 4,096 backups, each with the key
-- that it begins at, so that a page deep in a list is found by adding up a few hundred numbers. The
-- first run of an order begins before any key. A run that grows too long is cut in two; one that is
-- empty goes. The order by age has days for that.
CREATE TABLE backup_places (
    place      INTEGER PRIMARY KEY,
    project_id TEXT NOT NULL,
    sorted_by  TEXT NOT NULL,
    key        ANY NOT NULL,
    then_by    INTEGER NOT NULL,
    id         TEXT NOT NULL,
    backups    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX backup_places_order ON backup_places (project_id, sorted_by, key, then_by, id);

CREATE TRIGGER places_of_new_project AFTER INSERT ON projects
BEGIN
    INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups) VALUES
        (NEW.id, 'id', '', -9223372036854775808, '', 0),
        (NEW.id, 'name', '', -9223372036854775808, '', 0),
        (NEW.id, 'protected_at', -9223372036854775808, -9223372036854775808, '', 0),
        (NEW.id, 'status', '', -9223372036854775808, '', 0),
        (NEW.id, 'updated_at', -9223372036854775808, -9223372036854775808, '', 0);
END;

INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT id, 'id', '', -9223372036854775808, '',
           (SELECT MIN(2048, COUNT(*)) FROM backups b WHERE b.project_id = projects.id
            AND b.trashed_at IS NULL)
    FROM projects;
INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT project_id, 'id', key, then_by, id, MIN(2048, others - passed)
    FROM (SELECT project_id, id AS key, 0 AS then_by, id,
                 ROW_NUMBER() OVER (PARTITION BY project_id
                     ORDER BY id) - 1 AS passed,
                 COUNT(*) OVER (PARTITION BY project_id) AS others
          FROM backups WHERE trashed_at IS NULL)
    WHERE passed > 0 AND passed % 2048 = 0;

INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT id, 'name', '', -9223372036854775808, '',
           (SELECT MIN(2048, COUNT(*)) FROM backups b WHERE b.project_id = projects.id
            AND b.trashed_at IS NULL)
    FROM projects;
INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT project_id, 'name', key, then_by, id, MIN(2048, others - passed)
    FROM (SELECT project_id, name AS key, created_at AS then_by, id,
                 ROW_NUMBER() OVER (PARTITION BY project_id
                     ORDER BY name, created_at, id) - 1 AS passed,
                 COUNT(*) OVER (PARTITION BY project_id) AS others
          FROM backups WHERE trashed_at IS NULL)
    WHERE passed > 0 AND passed % 2048 = 0;

INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT id, 'protected_at', -9223372036854775808, -9223372036854775808, '',
           (SELECT MIN(2048, COUNT(*)) FROM backups b WHERE b.project_id = projects.id
            AND b.trashed_at IS NULL)
    FROM projects;
INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT project_id, 'protected_at', key, then_by, id, MIN(2048, others - passed)
    FROM (SELECT project_id, COALESCE(protected_at, -1) AS key, 0 AS then_by, id,
                 ROW_NUMBER() OVER (PARTITION BY project_id
                     ORDER BY COALESCE(protected_at, -1), id) - 1 AS passed,
                 COUNT(*) OVER (PARTITION BY project_id) AS others
          FROM backups WHERE trashed_at IS NULL)
    WHERE passed > 0 AND passed % 2048 = 0;

INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT id, 'status', '', -9223372036854775808, '',
           (SELECT MIN(2048, COUNT(*)) FROM backups b WHERE b.project_id = projects.id
            AND b.trashed_at IS NULL)
    FROM projects;
INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT project_id, 'status', key, then_by, id, MIN(2048, others - passed)
    FROM (SELECT project_id, status AS key, created_at AS then_by, id,
                 ROW_NUMBER() OVER (PARTITION BY project_id
                     ORDER BY status, created_at, id) - 1 AS passed,
                 COUNT(*) OVER (PARTITION BY project_id) AS others
          FROM backups WHERE trashed_at IS NULL)
    WHERE passed > 0 AND passed % 2048 = 0;

INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT id, 'updated_at', -9223372036854775808, -9223372036854775808, '',
           (SELECT MIN(2048, COUNT(*)) FROM backups b WHERE b.project_id = projects.id
            AND b.trashed_at IS NULL)
    FROM projects;
INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
    SELECT project_id, 'updated_at', key, then_by, id, MIN(2048, others - passed)
    FROM (SELECT project_id, updated_at AS key, 0 AS then_by, id,
                 ROW_NUMBER() OVER (PARTITION BY project_id
                     ORDER BY updated_at, id) - 1 AS passed,
                 COUNT(*) OVER (PARTITION BY project_id) AS others
          FROM backups WHERE trashed_at IS NULL)
    WHERE passed > 0 AND passed % 2048 = 0;

CREATE TRIGGER places_of_new_backup AFTER INSERT ON backups WHEN NEW.trashed_at IS NULL
BEGIN
    UPDATE backup_places SET backups = backups + 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'id'
            AND (key, then_by, id) <= (NEW.id, 0, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'name'
            AND (key, then_by, id) <= (NEW.name, NEW.created_at, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'protected_at'
            AND (key, then_by, id) <= (COALESCE(NEW.protected_at, -1), 0, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'status'
            AND (key, then_by, id) <= (NEW.status, NEW.created_at, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'updated_at'
            AND (key, then_by, id) <= (NEW.updated_at, 0, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER places_of_old_backup AFTER DELETE ON backups WHEN OLD.trashed_at IS NULL
BEGIN
    UPDATE backup_places SET backups = backups - 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'id'
            AND (key, then_by, id) <= (OLD.id, 0, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups - 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'name'
            AND (key, then_by, id) <= (OLD.name, OLD.created_at, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups - 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'protected_at'
            AND (key, then_by, id) <= (COALESCE(OLD.protected_at, -1), 0, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups - 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'status'
            AND (key, then_by, id) <= (OLD.status, OLD.created_at, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups - 1
        WHERE place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'updated_at'
            AND (key, then_by, id) <= (OLD.updated_at, 0, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER place_by_id_of_backup AFTER UPDATE ON backups
WHEN (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_places SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'id'
            AND (key, then_by, id) <= (OLD.id, 0, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE NEW.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'id'
            AND (key, then_by, id) <= (NEW.id, 0, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER place_by_name_of_backup AFTER UPDATE ON backups
WHEN OLD.name <> NEW.name OR OLD.created_at <> NEW.created_at
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_places SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'name'
            AND (key, then_by, id) <= (OLD.name, OLD.created_at, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE NEW.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'name'
            AND (key, then_by, id) <= (NEW.name, NEW.created_at, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER place_by_protected_at_of_backup AFTER UPDATE ON backups
WHEN OLD.protected_at IS NOT NEW.protected_at
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_places SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'protected_at'
            AND (key, then_by, id) <= (COALESCE(OLD.protected_at, -1), 0, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE NEW.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'protected_at'
            AND (key, then_by, id) <= (COALESCE(NEW.protected_at, -1), 0, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER place_by_status_of_backup AFTER UPDATE ON backups
WHEN OLD.status <> NEW.status OR OLD.created_at <> NEW.created_at
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_places SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'status'
            AND (key, then_by, id) <= (OLD.status, OLD.created_at, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE NEW.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'status'
            AND (key, then_by, id) <= (NEW.status, NEW.created_at, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER place_by_updated_at_of_backup AFTER UPDATE ON backups
WHEN OLD.updated_at <> NEW.updated_at
    OR (OLD.trashed_at IS NULL) <> (NEW.trashed_at IS NULL)
BEGIN
    UPDATE backup_places SET backups = backups - 1
        WHERE OLD.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = OLD.project_id AND sorted_by = 'updated_at'
            AND (key, then_by, id) <= (OLD.updated_at, 0, OLD.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
    UPDATE backup_places SET backups = backups + 1
        WHERE NEW.trashed_at IS NULL AND place = (SELECT place FROM backup_places
            WHERE project_id = NEW.project_id AND sorted_by = 'updated_at'
            AND (key, then_by, id) <= (NEW.updated_at, 0, NEW.id)
            ORDER BY key DESC, then_by DESC, id DESC LIMIT 1);
END;

CREATE TRIGGER long_run_by_id AFTER UPDATE OF backups ON backup_places
WHEN NEW.backups >= 4096 AND NEW.sorted_by = 'id'
BEGIN
    INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
        SELECT project_id, 'id', id, 0, id, NEW.backups - 2048
        FROM backups WHERE project_id = NEW.project_id AND trashed_at IS NULL
        AND id >= NEW.key
        ORDER BY id LIMIT 1 OFFSET 2048;
    UPDATE backup_places SET backups = 2048 WHERE place = NEW.place;
END;

CREATE TRIGGER long_run_by_name AFTER UPDATE OF backups ON backup_places
WHEN NEW.backups >= 4096 AND NEW.sorted_by = 'name'
BEGIN
    INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
        SELECT project_id, 'name', name, created_at, id, NEW.backups - 2048
        FROM backups WHERE project_id = NEW.project_id AND trashed_at IS NULL
        AND (name, created_at, id) >= (NEW.key, NEW.then_by, NEW.id)
        ORDER BY name, created_at, id LIMIT 1 OFFSET 2048;
    UPDATE backup_places SET backups = 2048 WHERE place = NEW.place;
END;

CREATE TRIGGER long_run_by_protected_at AFTER UPDATE OF backups ON backup_places
WHEN NEW.backups >= 4096 AND NEW.sorted_by = 'protected_at'
BEGIN
    INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
        SELECT project_id, 'protected_at', COALESCE(protected_at, -1), 0, id, NEW.backups - 2048
        FROM backups WHERE project_id = NEW.project_id AND trashed_at IS NULL
        AND COALESCE(protected_at, -1) >= NEW.key
        AND (COALESCE(protected_at, -1), id) >= (NEW.key, NEW.id)
        ORDER BY COALESCE(protected_at, -1), id LIMIT 1 OFFSET 2048;
    UPDATE backup_places SET backups = 2048 WHERE place = NEW.place;
END;

CREATE TRIGGER long_run_by_status AFTER UPDATE OF backups ON backup_places
WHEN NEW.backups >= 4096 AND NEW.sorted_by = 'status'
BEGIN
    INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
        SELECT project_id, 'status', status, created_at, id, NEW.backups - 2048
        FROM backups WHERE project_id = NEW.project_id AND trashed_at IS NULL
        AND (status, created_at, id) >= (NEW.key, NEW.then_by, NEW.id)
        ORDER BY status, created_at, id LIMIT 1 OFFSET 2048;
    UPDATE backup_places SET backups = 2048 WHERE place = NEW.place;
END;

CREATE TRIGGER long_run_by_updated_at AFTER UPDATE OF backups ON backup_places
WHEN NEW.backups >= 4096 AND NEW.sorted_by = 'updated_at'
BEGIN
    INSERT INTO backup_places (project_id, sorted_by, key, then_by, id, backups)
        SELECT project_id, 'updated_at', updated_at, 0, id, NEW.backups - 2048
        FROM backups WHERE project_id = NEW.project_id AND trashed_at IS NULL
        AND (updated_at, id) >= (NEW.key, NEW.id)
        ORDER BY updated_at, id LIMIT 1 OFFSET 2048;
    UPDATE backup_places SET backups = 2048 WHERE place = NEW.place;
END;

CREATE TRIGGER empty_run AFTER UPDATE OF backups ON backup_places
WHEN NEW.backups = 0 AND NEW.id <> ''
BEGIN
    DELETE FROM backup_places WHERE place = NEW.place;
END;

-- Bindings that wait for a next run; the scheduler's round asks for them.
CREATE INDEX vault_policies_unplanned ON vault_policies (vault_id) WHERE due_at IS NULL;

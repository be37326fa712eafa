-- What a backup was promised: the retention that held when a calendar asked for it, as `control`
-- writes it, and whether somebody has set its day by hand since. Never edited once released.

ALTER TABLE scheduled_backups ADD COLUMN definition TEXT;
ALTER TABLE scheduled_backups ADD COLUMN day_by_hand INTEGER NOT NULL DEFAULT 0;

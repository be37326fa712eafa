-- Copies at work: a replica knows its original, a copy its task.

-- The backup that this one is a copy of; it may be long gone, or in another service.
ALTER TABLE backups ADD COLUMN replica_of TEXT;
CREATE INDEX backups_replicas ON backups (replica_of, project_id) WHERE replica_of IS NOT NULL;

ALTER TABLE replications ADD COLUMN source_checkpoint_id TEXT NOT NULL DEFAULT '';
ALTER TABLE replications ADD COLUMN log_id TEXT NOT NULL DEFAULT '';
ALTER TABLE replications ADD COLUMN policy_id TEXT;
CREATE INDEX replications_from ON replications (vault_id)
    WHERE status IN ('waiting_replicate', 'replicating');
CREATE INDEX replications_to ON replications (destination_vault_id)
    WHERE status IN ('waiting_replicate', 'replicating');
CREATE INDEX replications_age ON replications (updated_at);

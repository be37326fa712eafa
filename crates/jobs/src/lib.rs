//! Durable steps with undo, leases with fencing, progress and cancel. Knows nothing of backups.

//! What the service remembers: SQLite behind one contract.

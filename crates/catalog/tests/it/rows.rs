//! Placeholder replaced by the suite of the tables.

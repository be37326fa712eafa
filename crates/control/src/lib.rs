//! The use cases: protect, back up, restore, delete; quota and identity. No HTTP types.

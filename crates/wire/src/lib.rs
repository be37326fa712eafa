//! The vendors' documents as types: one declaration per operation, errors, times, signing rules.

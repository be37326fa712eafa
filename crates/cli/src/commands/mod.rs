//! One file per command; each is its options and what it does with them.
//!
//! - [`try_out`]: the whole main job in one go
//! - [`serve`]: the service
//! - [`ddm`]: databases behind a sharding layer; [`audit`]: audit logs of databases
//! - [`resource`], [`vault`], [`policy`], [`backup`], [`backups`], [`deletion`], [`trash`],
//!   [`restore`], [`task`]: the user's commands, all through the service's API
//! - [`status`]: for monitoring
//! - [`admin`]: on the catalog itself
//! - [`stores`]: where the data are, for those that must know
//! - [`repo`]: on a repository itself

pub(crate) mod admin;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod backups;
pub(crate) mod ddm;
pub(crate) mod deletion;
pub(crate) mod policy;
pub(crate) mod repo;
pub(crate) mod resource;
pub(crate) mod restore;
pub(crate) mod serve;
pub(crate) mod status;
pub(crate) mod stores;
pub(crate) mod task;
pub(crate) mod trash;
pub(crate) mod try_out;
pub(crate) mod vault;

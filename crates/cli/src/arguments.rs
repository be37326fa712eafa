//! The command line as DESIGN fixes it: which commands there are, and what all of them take.
//!
//! Tools and tests call these commands; their names and the shape of what they print with `--json`
//! only ever grow.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{commands, output::Output};

/// Strongroom: a self-hosted cloud backup service.
#[derive(Parser)]
#[command(name = "strongroom", version, about, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Where a service on this machine keeps everything
    #[arg(long, global = true, value_name = "DIR", env = "STRONGROOM_DATA_DIR")]
    data_dir: Option<PathBuf>,

    /// Print JSON for programs instead of text for people
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

/// What every command is told.
pub(crate) struct Context {
    /// Where a service on this machine keeps everything, if that was said.
    pub(crate) data_dir: Option<PathBuf>,
    /// Where results go.
    pub(crate) output: Output,
}

impl Context {
    /// The data directory; `./strongroom-data` if nothing was said.
    pub(crate) fn data_dir(&self) -> PathBuf {
        let said = self.data_dir.clone();
        said.unwrap_or_else(|| PathBuf::from("strongroom-data"))
    }
}

#[derive(Subcommand)]
enum Command {
    /// Show the whole main job on real data in one go, and leave nothing behind
    Try(commands::try_out::Options),
    /// Run the service
    Serve(commands::serve::Options),
    /// Register what can be protected
    #[command(subcommand)]
    Resource(commands::resource::Verb),
    /// Back up, search and prove audit logs of databases
    #[command(subcommand)]
    Audit(commands::audit::Verb),
    /// Back up and restore what sharding layers know
    #[command(subcommand)]
    Ddm(commands::ddm::Verb),
    /// Make and look at vaults
    #[command(subcommand)]
    Vault(commands::vault::Verb),
    /// Back up a resource now
    Backup(commands::backup::Options),
    /// List backups
    Backups(commands::backups::Options),
    /// Delete a backup, or show what that would take
    Delete(commands::deletion::Options),
    /// Bring back what was deleted
    #[command(subcommand)]
    Trash(commands::trash::Verb),
    /// Restore a backup, in place or to a new path
    Restore(commands::restore::Options),
    /// Watch and cancel what the service is doing
    #[command(subcommand)]
    Task(commands::task::Verb),
    /// Say whether everything is backed up as promised (exit status 0, 1, 2 or 3)
    Status(commands::status::Options),
    /// Back up by schedule
    #[command(subcommand)]
    Policy(commands::policy::Verb),
    /// Manage projects, users and access keys on this machine
    #[command(subcommand)]
    Admin(commands::admin::Noun),
    /// Work on a repository directly, without a service
    #[command(subcommand)]
    Repo(commands::repo::Verb),
}

impl Arguments {
    /// Does what was asked for.
    pub(crate) fn run(self) -> Result<()> {
        let context = Context {
            data_dir: self.data_dir,
            output: Output::new(self.json),
        };
        match self.command {
            Command::Try(options) => options.run(&context),
            Command::Serve(options) => options.run(&context),
            Command::Resource(verb) => verb.run(&context),
            Command::Audit(verb) => verb.run(&context),
            Command::Ddm(verb) => verb.run(&context),
            Command::Vault(verb) => verb.run(&context),
            Command::Backup(options) => options.run(&context),
            Command::Backups(options) => options.run(&context),
            Command::Delete(options) => options.run(&context),
            Command::Trash(verb) => verb.run(&context),
            Command::Restore(options) => options.run(&context),
            Command::Task(verb) => verb.run(&context),
            Command::Status(options) => options.run(&context),
            Command::Policy(verb) => verb.run(&context),
            Command::Admin(noun) => noun.run(&context),
            Command::Repo(verb) => verb.run(&context),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }
}

//! `strongroom policy`: backing up by schedule. The words are reserved; the work comes later.

use anyhow::{Result, bail};

/// Whatever is asked of policies.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<String>,
}

impl Options {
    pub(crate) fn run(self) -> Result<()> {
        let asked = self.words.join(" ");
        bail!(
            "policy {asked}: policies come later; until then call `strongroom backup RESOURCE` \
             from cron or a systemd timer"
        )
    }
}

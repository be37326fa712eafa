//! How fast a repository may be written and read, so that a line is left for others.

use std::sync::Arc;

use strongroom_store::{
    Store,
    limit::{self, Pace, Rate, RealTime, limited},
};

/// Bytes per second in each direction.
#[derive(clap::Args)]
pub(super) struct Limits {
    /// Store at most this many bytes per second, such as 500K, 20M or 10MB
    #[arg(long = "limit-upload", value_name = "RATE")]
    upload: Option<Rate>,
    /// Read at most this many bytes per second from the repository
    #[arg(long = "limit-download", value_name = "RATE")]
    download: Option<Rate>,
}

impl Limits {
    /// The same store, no faster than that.
    pub(super) fn apply(&self, store: &Store) -> Store {
        let pace: Arc<dyn Pace> = Arc::new(RealTime::default());
        let limits = limit::Limits {
            upload: self.upload,
            download: self.download,
        };
        limited(store, limits, &pace)
    }
}

//! Which sharding layers there are. A new one is a variant here and a type that implements
//! [`ShardingLayer`].

use super::{
    address::Address,
    error::{Error, Result},
    layer::ShardingLayer,
    spider::Spider,
};

/// A kind of sharding layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Provider {
    /// A MariaDB server with the Spider engine.
    Spider,
}

impl Provider {
    /// Every provider.
    pub const ALL: &[Self] = &[Self::Spider];

    /// The word that the catalog and the command line know.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spider => "spider",
        }
    }

    /// The provider of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|provider| provider.as_str() == word)
            .ok_or_else(|| Error::Unfit(format!("unknown provider {word:?}; known is spider")))
    }

    /// The layer at that address, which messages call `name`. Nothing is asked of it yet.
    pub fn open(self, name: &str, address: &Address) -> Box<dyn ShardingLayer> {
        match self {
            Self::Spider => Box::new(Spider::new(name, address)),
        }
    }
}

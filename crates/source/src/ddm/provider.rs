//! Which sharding layers there are. A new one is a variant here and a type that implements
//! [`ShardingLayer`].

use super::{
    address::Address,
    error::{Error, Result},
    layer::ShardingLayer,
    spider::Spider,
    topology::{Planned, Topology},
};

/// A kind of sharding layer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Provider {
    /// A MariaDB server with the Spider engine.
    Spider,
    /// Any server of the MySQL protocol, with a topology file.
    Topology,
}

impl Provider {
    /// Every provider.
    pub const ALL: &[Self] = &[Self::Spider, Self::Topology];

    /// The word that the catalog and the command line know.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spider => "spider",
            Self::Topology => "topology",
        }
    }

    /// The provider of that word.
    pub fn parse(word: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|provider| provider.as_str() == word)
            .ok_or_else(|| {
                Error::Unfit(format!(
                    "unknown provider {word:?}; known are spider and topology"
                ))
            })
    }

    /// The layer at that address, which messages call `name`. Nothing is asked of it yet.
    pub fn open(
        self,
        name: &str,
        address: &Address,
        topology: Option<&Topology>,
    ) -> Result<Box<dyn ShardingLayer>> {
        match (self, topology) {
            (Self::Spider, None) => Ok(Box::new(Spider::new(name, address))),
            (Self::Spider, Some(_)) => {
                let why = "a layer with Spider says itself what is where: leave the topology file";
                Err(Error::Unfit(why.to_owned()))
            }
            (Self::Topology, Some(topology)) => {
                Ok(Box::new(Planned::new(name, address, topology.clone())))
            }
            (Self::Topology, None) => {
                let why = "the provider topology needs a topology file";
                Err(Error::Unfit(why.to_owned()))
            }
        }
    }
}

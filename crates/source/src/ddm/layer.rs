//! What every sharding layer can do for us, whoever made it.
//!
//! A provider is a type that implements [`ShardingLayer`] and a line in
//! [`Provider`](super::Provider). A proxy that keeps its knowledge in a coordination service
//! (`EXPORT METADATA` of one, the `VSchema` of another) fits as well: its [`capture`] locks the
//! cluster as it can, and its tables carry their rules as that layer writes them.
//!
//! [`capture`]: ShardingLayer::capture

use serde::{Deserialize, Serialize};
use strongroom_model::{Clock, DataNodeId};

use super::{
    address::Address,
    document::{Document, Line},
    error::Result,
    restore::Places,
};

/// A database server behind a layer.
#[derive(Clone, Debug)]
pub struct DataNode {
    /// Its id.
    pub id: DataNodeId,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub address: Address,
}

/// What a server says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// `MariaDB` or `MySQL`.
    pub engine: String,
    /// Its version, numbers and points.
    pub version: String,
    /// Whether it takes no writes.
    pub read_only: bool,
    /// Its number in a replication.
    pub server_id: u32,
}

/// A layer's logical schema.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SchemaView {
    /// Its name.
    pub name: String,
    /// Its tables.
    pub tables: Vec<Table>,
}

/// A logical table.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Table {
    /// The schema.
    pub schema: String,
    /// The name.
    pub name: String,
    /// `table`, `view` or `sequence`.
    pub kind: String,
    /// The statement that makes it.
    pub create: String,
    /// What a view's statement was read by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground: Option<Ground>,
    /// How rows are spread; none for a table that is whole on one server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// Where its parts are, in the rule's order; none for a table of the layer's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<Shard>,
}

/// What a statement was read by when somebody first wrote it: the server keeps it with the object.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ground {
    /// The mode of the SQL parser; views have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_mode: Option<String>,
    /// The time zone; events alone have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The character set of the client.
    pub charset: String,
    /// The order of letters of the connection.
    pub collation: String,
}

/// How the rows of a table are spread.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rule {
    /// The algorithm in the layer's own word: `KEY`, `HASH`, `RANGE`, …
    pub algorithm: String,
    /// The key in the layer's own writing.
    pub key: String,
}

/// Where a part of a table is.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shard {
    /// Its name: a partition's, or empty for the only one.
    pub name: String,
    /// What the layer calls the link to the server.
    pub server: String,
    /// The database there.
    pub database: String,
    /// The table there.
    pub table: String,
    /// What is in it, for rules that say so: a range, a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<String>,
}

/// What a capture needs to know.
pub struct Capture<'a> {
    /// What the document's head says of the instance.
    pub instance: (String, String),
    /// The servers behind the layer.
    pub nodes: &'a [DataNode],
    /// The provider's word.
    pub provider: &'a str,
    /// Tells the time.
    pub clock: &'a dyn Clock,
    /// Whether writes shall stand still for the whole time: when schemas change all the time.
    pub still: bool,
}

/// Takes one line of a document.
pub type Sink<'a> = &'a mut dyn FnMut(&Line) -> Result<()>;

/// A sharding layer.
pub trait ShardingLayer: Send {
    /// What it says of itself; an error if it is not what the provider is for.
    fn look(&mut self) -> Result<Looked>;

    /// Refuses to go on if what the provider was told does not fit what is there.
    fn fits(&mut self, _nodes: &[DataNode]) -> Result<()> {
        Ok(())
    }

    /// Refuses if making and dropping schemas is not for us.
    fn may_change_schemas(&self) -> Result<()> {
        Ok(())
    }

    /// Everything it knows, and the place in each data node's log at the same instant.
    fn capture(&mut self, order: &Capture<'_>, sink: Sink<'_>) -> Result<()>;

    /// The names of its schemas and how many tables each has.
    fn schemas(&mut self) -> Result<Vec<(String, u64)>>;

    /// One schema; `None` if there is none of that name.
    fn schema(&mut self, name: &str) -> Result<Option<SchemaView>>;

    /// Its accounts besides its own and ours: name and host.
    fn accounts(&mut self) -> Result<Vec<(String, String)>>;

    /// The links to servers that it has: name, host, port.
    fn links(&mut self) -> Result<Vec<(String, String, u16)>>;

    /// Makes a schema of `shards` parts on these servers.
    fn create_schema(&mut self, name: &str, shards: u32, nodes: &[DataNode]) -> Result<()>;

    /// Removes a schema, and what holds its data on the servers if that is asked for.
    fn drop_schema(&mut self, name: &str, data: Option<&[DataNode]>) -> Result<()>;

    /// Writes a document to a layer that was empty; what an interrupted call left is replaced.
    fn restore(&mut self, document: &Document, places: &Places) -> Result<()>;

    /// Takes back what [`restore`](Self::restore) of this document may have made.
    fn withdraw(&mut self, document: &Document) -> Result<()>;
}

//! Logical schemas: listed, made, dropped, carried to another layer.
//!
//! An export is the metadata document without accounts, compressed, sealed and written as text. An
//! import runs the statements in it with all rights, so only what this service itself exported is
//! taken: the seal is a keyed hash that nobody can make without the master key.

use std::io::{BufReader, Read as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use strongroom_model::{DataNodeId, DdmInstanceId, JobId, Timestamp};
use strongroom_source::ddm::{
    self, Capture, Document, Line,
    document::{self, End},
    layer::SchemaView,
};
use subtle::ConstantTimeEq as _;

use crate::{
    Caller, Control, Error, Listed, Page, Reason, Result,
    control::project,
    ddm::{
        backups::Why,
        get, idle,
        instances::Node,
        reach::{Reached, of_source},
        tasks,
    },
    jobs::{
        self,
        params::{DdmRestore, DdmSchema, DdmSource, SchemaDeed},
    },
};

/// How hard exports are compressed.
const LEVEL: i32 = 6;
/// Bytes of the seal in front of an export.
const SEAL: usize = 32;
/// The longest export that is taken, unpacked.
const EXPORT_MAX: u64 = 256 << 20;
/// Physical databases on one data node, for one schema.
const SHARDS_MAX: u32 = 64;

/// A logical schema as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// Whether its rows are spread.
    pub sharded: bool,
    /// Its physical databases: data node, database; sorted by name.
    pub shards: Vec<(DataNodeId, String)>,
    /// The data nodes that hold them.
    pub nodes: Vec<Node>,
    /// Since when it is known: the layer does not say when it was made.
    pub since: Timestamp,
}

/// A schema to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchema {
    /// 2 to 24 letters, digits and `_`, none of them capital.
    pub name: String,
    /// Whether its rows are spread.
    pub sharded: bool,
    /// Into how many physical databases.
    pub shards: u32,
    /// On which data nodes.
    pub nodes: Vec<DataNodeId>,
}

/// Exported schemas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The schemas.
    pub text: String,
    /// The data nodes then.
    pub nodes: Vec<Node>,
}

impl Control {
    /// The schemas of a layer.
    pub fn list_schemas(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        page: &Page,
    ) -> Result<Listed<Schema>> {
        let project = project(caller)?;
        let mut reached = self.reach(project, id)?;
        let names = reached.layer.schemas().map_err(of_source)?;
        let found = page.window(names, |(name, _)| name.clone())?;
        let mut items = Vec::new();
        for (name, _) in found.items {
            // One that went meanwhile is left out.
            if let Some(view) = reached.layer.schema(&name).map_err(of_source)? {
                items.push(schema(&mut reached, view)?);
            }
        }
        Ok(Listed {
            items,
            total: found.total,
        })
    }

    /// One schema.
    pub fn show_schema(&self, caller: &Caller, id: DdmInstanceId, name: &str) -> Result<Schema> {
        let project = project(caller)?;
        let mut reached = self.reach(project, id)?;
        let found = reached.layer.schema(name).map_err(of_source)?;
        let view = found.ok_or_else(|| Error::not_found(Reason::NoSuchSchema, name))?;
        schema(&mut reached, view)
    }

    /// Orders a schema.
    pub fn create_schema(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        new: &NewSchema,
    ) -> Result<JobId> {
        let project = project(caller)?;
        check_name(&new.name)?;
        let nodes = u32::try_from(new.nodes.len()).unwrap_or(u32::MAX);
        let range = if new.sharded {
            nodes.max(1)..=nodes.saturating_mul(SHARDS_MAX)
        } else {
            1..=1
        };
        if nodes == 0 || !new.sharded && nodes != 1 {
            let about = "an unsharded schema is on one data node, a sharded one on one or more";
            return Err(Error::conflict(Reason::DataNodeCount, about));
        }
        if !range.contains(&new.shards) {
            let about = format!("from {} to {}", range.start(), range.end());
            return Err(Error::conflict(Reason::ShardCountBad, about));
        }
        let mut reached = self.reach(project, id)?;
        reached.layer.may_change_schemas().map_err(of_source)?;
        reached.nodes_of(&new.nodes)?;
        must_be_unused(&mut reached, &new.name)?;
        self.order(|tx| {
            let row = get(tx, project, id)?;
            idle(tx, id)?;
            let order = tasks::Order {
                kind: jobs::DDM_SCHEMA,
                name: "createLogicDb",
                instance: &row,
                database: Some(new.name.clone()),
            };
            let params = DdmSchema {
                project,
                instance: id,
                schema: new.name.clone(),
                deed: SchemaDeed::Create {
                    shards: new.shards,
                    nodes: new.nodes.clone(),
                },
            };
            tasks::order(self, tx, &order, &params)
        })
    }

    /// Orders that a schema goes, with its physical databases if `data`; a backup comes first.
    pub fn drop_schema(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        name: &str,
        data: Data,
    ) -> Result<JobId> {
        let project = project(caller)?;
        let mut reached = self.reach(project, id)?;
        reached.layer.may_change_schemas().map_err(of_source)?;
        if reached.layer.schema(name).map_err(of_source)?.is_none() {
            return Err(Error::not_found(Reason::NoSuchSchema, name));
        }
        self.order(|tx| {
            let row = get(tx, project, id)?;
            idle(tx, id)?;
            let why = Why::Before(format!("deleting schema {name}"));
            let (safety, _) = self.order_backup(tx, &row, &why)?;
            let order = tasks::Order {
                kind: jobs::DDM_SCHEMA,
                name: "deleteLogicDb",
                instance: &row,
                database: Some(name.to_owned()),
            };
            let params = DdmSchema {
                project,
                instance: id,
                schema: name.to_owned(),
                deed: SchemaDeed::Drop {
                    safety,
                    data: data == Data::Goes,
                },
            };
            tasks::order(self, tx, &order, &params)
        })
    }

    /// The schemas of a layer, to be carried to another one.
    pub fn export_schemas(&self, caller: &Caller, id: DdmInstanceId) -> Result<Export> {
        let project = project(caller)?;
        let mut reached = self.reach(project, id)?;
        let broken = |error: std::io::Error| Error::bug("writing to memory fails", error);
        let mut packed = zstd::Encoder::new(Vec::new(), LEVEL).map_err(broken)?;
        let order = Capture {
            instance: (reached.row.id.to_string(), reached.row.name.clone()),
            nodes: &reached.nodes,
            provider: &reached.row.provider,
            clock: self.time(),
            still: false,
        };
        let captured = reached.layer.capture(&order, &mut |line| match line {
            Line::Account(_) => Ok(()),
            Line::End(end) => {
                let end = End {
                    accounts: 0,
                    ..end.clone()
                };
                document::write(&mut packed, &Line::End(end))
            }
            line => document::write(&mut packed, line),
        });
        captured.map_err(of_source)?;
        let packed = packed.finish().map_err(broken)?;
        let sealed = [self.seal_of_export(&packed).as_slice(), &packed].concat();
        Ok(Export {
            text: STANDARD.encode(sealed),
            nodes: reached
                .node_rows
                .into_iter()
                .map(crate::ddm::instances::node_view)
                .collect(),
        })
    }

    /// Orders that exported schemas are written to a layer, on these of its data nodes.
    pub fn import_schemas(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        text: &str,
        nodes: &[DataNodeId],
    ) -> Result<JobId> {
        let project = project(caller)?;
        let document = self.unpack(text)?;
        let mut reached = self.reach(project, id)?;
        let given = reached.nodes_of(nodes)?;
        must_be_new(&mut reached, &document)?;
        ddm::Places::find(&document, &given).map_err(of_source)?;
        self.order(|tx| {
            let row = get(tx, project, id)?;
            idle(tx, id)?;
            let order = tasks::Order {
                kind: jobs::DDM_RESTORE,
                name: "loadMetadata",
                instance: &row,
                database: None,
            };
            let params = DdmRestore {
                project,
                target: id,
                nodes: nodes.to_vec(),
                source: DdmSource::Export(text.to_owned()),
            };
            tasks::order(self, tx, &order, &params)
        })
    }

    /// Reads schemas that this service exported.
    pub(crate) fn unpack(&self, text: &str) -> Result<Document> {
        let wrong = |problem: String| Error::invalid("compressed_databases_info", problem);
        let sealed = STANDARD
            .decode(text.trim())
            .map_err(|error| wrong(error.to_string()))?;
        let foreign = || wrong("it was not exported by this service, or was changed".to_owned());
        let (seal, packed) = sealed.split_at_checked(SEAL).ok_or_else(foreign)?;
        if !bool::from(self.seal_of_export(packed).ct_eq(seal)) {
            return Err(foreign());
        }
        let unpacked = zstd::Decoder::new(packed).map_err(|error| wrong(error.to_string()))?;
        Document::read(&mut BufReader::new(unpacked.take(EXPORT_MAX)))
            .map_err(|error| wrong(error.to_string()))
    }

    fn seal_of_export(&self, packed: &[u8]) -> [u8; SEAL] {
        let key = self.master_key().derive("strongroom 2026 exported schemas");
        *blake3::keyed_hash(&key, packed).as_bytes()
    }
}

/// Whether the physical databases go with their schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// They stay as they are.
    Stays,
    /// They go too.
    Goes,
}

fn schema(reached: &mut Reached, view: SchemaView) -> Result<Schema> {
    let mut servers: Vec<(String, String)> = view
        .tables
        .iter()
        .flat_map(|table| &table.shards)
        .map(|shard| (shard.server.clone(), shard.database.clone()))
        .collect();
    let sharded = view.tables.iter().any(|table| table.shards.len() > 1);
    let links = reached.layer.links().map_err(of_source)?;
    // A schema that has no table yet shows by the names of its links.
    let own = |link: &str| {
        let rest = link
            .strip_prefix(&view.name)
            .and_then(|rest| rest.strip_prefix('_'));
        rest.is_some_and(|digits| digits.len() == 4 && digits.parse::<u32>().is_ok())
    };
    for (link, ..) in links.iter().filter(|(link, ..)| own(link)) {
        servers.push((link.clone(), link.clone()));
    }
    servers.sort();
    servers.dedup_by(|one, other| one.0 == other.0);
    let mut shards = Vec::new();
    for (server, database) in servers {
        let mut nodes = reached.nodes.iter();
        let node = if let Some(topology) = &reached.topology {
            let name = topology.node_of(&server);
            nodes.find(|node| Some(node.name.as_str()) == name)
        } else {
            let link = links.iter().find(|(name, ..)| *name == server);
            link.and_then(|(_, host, port)| nodes.find(|node| node.address.is_at(host, *port)))
        };
        if let Some(node) = node {
            shards.push((node.id, database));
        }
    }
    let used = |row: &&strongroom_catalog::DataNodeRow| shards.iter().any(|(id, _)| *id == row.id);
    let nodes = reached.node_rows.iter().filter(used).cloned();
    Ok(Schema {
        sharded: sharded || shards.len() > 1,
        nodes: nodes.map(crate::ddm::instances::node_view).collect(),
        shards,
        since: reached.row.created_at,
        name: view.name,
    })
}

/// Refuses a schema that is there, or whose physical databases are.
pub(crate) fn must_be_unused(reached: &mut Reached, name: &str) -> Result<()> {
    if reached.layer.schema(name).map_err(of_source)?.is_some() {
        return Err(Error::conflict(Reason::SchemaExists, name));
    }
    for node in &reached.nodes {
        let found = ddm::databases(&format!("data node {}", node.name), &node.address);
        let own = |database: &String| {
            let rest = database
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('_'));
            rest.is_some_and(|digits| digits.len() == 4 && digits.parse::<u32>().is_ok())
        };
        if let Some(database) = found.map_err(of_source)?.into_iter().find(own) {
            let about = format!("data node {} has the database {database}", node.name);
            return Err(Error::conflict(Reason::SchemaExists, about));
        }
    }
    Ok(())
}

/// Refuses schemas and links that are there already.
pub(crate) fn must_be_new(reached: &mut Reached, document: &Document) -> Result<()> {
    if document.head.provider != reached.row.provider {
        let about = format!("the schemas are of {}", document.head.provider);
        return Err(Error::conflict(Reason::InstanceUnfit, about));
    }
    let there = reached.layer.schemas().map_err(of_source)?;
    for schema in document.schemas() {
        if there.iter().any(|(name, _)| *name == schema.name) {
            return Err(Error::conflict(Reason::SchemaExists, &schema.name));
        }
    }
    let links = reached.layer.links().map_err(of_source)?;
    for link in document.links() {
        if links.iter().any(|(name, ..)| *name == link.name) {
            let about = format!("{} has a link {}", reached.row.name, link.name);
            return Err(Error::conflict(Reason::InstanceUnfit, about));
        }
    }
    Ok(())
}

fn check_name(name: &str) -> Result<()> {
    const RESERVED: &[&str] = &["information_schema", "mysql", "performance_schema", "sys"];
    let letters = name
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let begins = name.starts_with(|letter: char| letter.is_ascii_lowercase());
    if (2..=24).contains(&name.len()) && letters && begins && !RESERVED.contains(&name) {
        return Ok(());
    }
    let about =
        "2 to 24 lower-case letters, digits and _, a letter first, none of the server's own";
    Err(Error::conflict(Reason::SchemaNameBad, about))
}

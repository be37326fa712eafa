//! Any server of the MySQL protocol, with a file of ours that says which rows are where.
//!
//! Whatever spreads the tables (a proxy, a driver, the application itself) keeps its rules in a
//! place of its own; the operator tells us of them in a topology file, a versioned JSON document
//! (docs/ddm.md). Schemas, tables, programs and accounts are read from the server; rules and places
//! from the file, which is refused if it does not fit what is there. What is restored is the former
//! and a topology for the new data nodes, which the operator hands to what spreads the tables.
//!
//! Invariant: we make and drop no schema behind the back of the software that spreads it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    address::Address,
    capture::{self, Reading, account_names, schemas, table_names, table_of},
    document::{Document, Link},
    error::{Error, Result},
    layer::{Capture, DataNode, Looked, Rule, SchemaView, Shard, ShardingLayer, Sink, Table},
    restore::{self, Places},
    session::Session,
};

/// The version that this release reads and writes.
const VERSION: u32 = 1;
/// The longest file: twenty thousand tables of a hundred shards are below.
const LENGTH_MAX: usize = 256 << 20;

/// Which rows are where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    version: u32,
    /// The data nodes, by the names under which they are registered.
    data_nodes: Vec<String>,
    #[serde(default)]
    schemas: Vec<SchemaPlan>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SchemaPlan {
    name: String,
    /// The tables that are not whole on the layer itself.
    #[serde(default)]
    tables: Vec<TablePlan>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TablePlan {
    name: String,
    /// How rows are spread; none for a table that is whole on one data node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rule: Option<Rule>,
    shards: Vec<ShardPlan>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardPlan {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    name: String,
    node: String,
    database: String,
    /// The table there; the same name if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    table: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    range: Option<String>,
}

impl Topology {
    /// Reads a file; the refusal says what is wrong with it and where.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > LENGTH_MAX {
            return Err(Error::Unfit("the topology file is too long".to_owned()));
        }
        let read: Self = serde_json::from_str(text)
            .map_err(|error| Error::Unfit(format!("the topology file is unreadable: {error}")))?;
        read.check()?;
        Ok(read)
    }

    /// The file.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and numbers become JSON")
    }

    fn check(&self) -> Result<()> {
        let wrong = |why: String| Err(Error::Unfit(format!("the topology file {why}")));
        if self.version != VERSION {
            let version = self.version;
            return wrong(format!("is of version {version}, known is {VERSION}"));
        }
        let nodes: BTreeSet<_> = self.data_nodes.iter().collect();
        if nodes.len() != self.data_nodes.len() {
            return wrong("names a data node twice".to_owned());
        }
        let (mut named, mut used) = (BTreeSet::new(), BTreeSet::new());
        for schema in &self.schemas {
            if schema.name.is_empty() || !named.insert((&schema.name, None)) {
                return wrong(format!("names schema {:?} twice or not", schema.name));
            }
            for table in &schema.tables {
                let what = format!("table {}.{}", schema.name, table.name);
                if table.name.is_empty() || !named.insert((&schema.name, Some(&table.name))) {
                    return wrong(format!("names {what} twice or not"));
                }
                if table.shards.is_empty() || (table.rule.is_none() && table.shards.len() > 1) {
                    return wrong(format!("says for {what} neither one place nor a rule"));
                }
                for shard in &table.shards {
                    let there = shard.table.as_ref().unwrap_or(&table.name);
                    let place = format!("{}.{} on {}", shard.database, there, shard.node);
                    if !nodes.contains(&shard.node) {
                        return wrong(format!("has {what} on {}, no data node", shard.node));
                    }
                    if shard.database.is_empty() || there.is_empty() {
                        return wrong(format!("does not say where {what} is on {}", shard.node));
                    }
                    if !used.insert((&shard.node, &shard.database, there)) {
                        return wrong(format!("has two things in {place}: {what} is one"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Refuses data nodes other than those that the file names.
    pub fn check_nodes<'a>(&self, registered: impl Iterator<Item = &'a str>) -> Result<()> {
        let ours: BTreeSet<_> = self.data_nodes.iter().map(String::as_str).collect();
        let theirs: BTreeSet<_> = registered.collect();
        let names = |names: Vec<&&str>| {
            let names: Vec<_> = names.into_iter().copied().collect();
            names.join(", ")
        };
        let unknown = names(ours.difference(&theirs).collect());
        if !unknown.is_empty() {
            let why = format!("the topology file names data nodes that are not given: {unknown}");
            return Err(Error::Unfit(why));
        }
        let unnamed = names(theirs.difference(&ours).collect());
        if !unnamed.is_empty() {
            let why = format!("the topology file does not name these data nodes: {unnamed}");
            return Err(Error::Unfit(why));
        }
        Ok(())
    }

    /// The topology that a document tells of, on the servers that take the places of those then.
    pub fn of(document: &Document, places: &Places) -> Result<Self> {
        let mut data_nodes = Vec::new();
        for node in document.nodes() {
            data_nodes.push(places.of(&node.id)?.name.clone());
        }
        let links: BTreeMap<_, _> = document.links().map(|link| (&link.name, link)).collect();
        let mut all: Vec<SchemaPlan> = document
            .schemas()
            .map(|schema| SchemaPlan {
                name: schema.name.clone(),
                tables: Vec::new(),
            })
            .collect();
        for table in document.tables().filter(|table| !table.shards.is_empty()) {
            let mut shards = Vec::new();
            for shard in &table.shards {
                let link = links.get(&shard.server).ok_or_else(|| {
                    Error::Unreadable(format!("a shard is on the unknown {}", shard.server))
                })?;
                shards.push(ShardPlan {
                    name: shard.name.clone(),
                    node: places.of(&link.node)?.name.clone(),
                    database: shard.database.clone(),
                    table: Some(shard.table.clone()).filter(|there| *there != table.name),
                    range: shard.range.clone(),
                });
            }
            let schema = all.iter_mut().find(|schema| schema.name == table.schema);
            if let Some(schema) = schema {
                schema.tables.push(TablePlan {
                    name: table.name.clone(),
                    rule: table.rule.clone(),
                    shards,
                });
            }
        }
        Ok(Self {
            version: VERSION,
            data_nodes,
            schemas: all,
        })
    }

    /// The data node to which a link of that name leads.
    pub fn node_of(&self, link: &str) -> Option<&str> {
        let (node, _) = link.split_once('.')?;
        let mut nodes = self.data_nodes.iter().map(String::as_str);
        nodes.find(|name| *name == node)
    }

    /// The same data nodes with nothing on them.
    #[must_use]
    pub fn bare(self) -> Self {
        Self {
            schemas: Vec::new(),
            ..self
        }
    }

    fn tables(&self) -> impl Iterator<Item = (&SchemaPlan, &TablePlan)> {
        let schemas = self.schemas.iter();
        schemas.flat_map(|schema| schema.tables.iter().map(move |table| (schema, table)))
    }

    fn table(&self, schema: &str, name: &str) -> Option<&TablePlan> {
        let schema = self.schemas.iter().find(|plan| plan.name == schema)?;
        schema.tables.iter().find(|table| table.name == name)
    }

    /// Says in a table what the file says of it.
    fn tell(&self, table: &mut Table) {
        let Some(plan) = self.table(&table.schema, &table.name) else {
            return;
        };
        table.rule.clone_from(&plan.rule);
        let shards = plan.shards.iter().map(|shard| Shard {
            name: shard.name.clone(),
            server: link_name(shard),
            database: shard.database.clone(),
            table: shard.table.clone().unwrap_or_else(|| plan.name.clone()),
            range: shard.range.clone(),
        });
        table.shards = shards.collect();
    }
}

fn link_name(shard: &ShardPlan) -> String {
    format!("{}.{}", shard.node, shard.database)
}

/// A server with a topology file.
pub(super) struct Planned {
    name: String,
    address: Address,
    topology: Topology,
}

impl Planned {
    pub(super) fn new(name: &str, address: &Address, topology: Topology) -> Self {
        Self {
            name: format!("instance {name}"),
            address: address.clone(),
            topology,
        }
    }

    fn session(&self) -> Result<Session> {
        Session::open(&self.name, &self.address)
    }

    fn not_ours<T>(&self, what: &str) -> Result<T> {
        Err(Error::Unfit(format!(
            "schemas of {} are {what} by the software that spreads them; register the instance \
             again with its new topology file afterwards",
            self.name
        )))
    }
}

impl Reading for Planned {
    fn links(&self, _: &mut Session, order: &Capture<'_>) -> Result<Vec<Link>> {
        let mut links = BTreeMap::new();
        for (_, table) in self.topology.tables() {
            for shard in &table.shards {
                let node = order.nodes.iter().find(|node| node.name == shard.node);
                let Some(node) = node else {
                    let why = format!("data node {} is not registered", shard.node);
                    return Err(Error::Unfit(why));
                };
                links.entry(link_name(shard)).or_insert_with(|| Link {
                    name: link_name(shard),
                    node: node.id,
                    database: shard.database.clone(),
                    wrapper: "mysql".to_owned(),
                });
            }
        }
        Ok(links.into_values().collect())
    }

    fn place(&self, table: &mut Table, _: &[Link]) -> Result<()> {
        self.topology.tell(table);
        Ok(())
    }
}

impl ShardingLayer for Planned {
    fn look(&mut self) -> Result<Looked> {
        self.session()?.look()
    }

    fn fits(&mut self, nodes: &[DataNode]) -> Result<()> {
        let mut session = self.session()?;
        for schema in &self.topology.schemas {
            let there = schemas(&mut session)?;
            let there = there.iter().any(|found| found.name == schema.name);
            let tables: BTreeSet<String> = if there {
                let names = table_names(&mut session, &schema.name)?.into_iter();
                names.map(|(name, _)| name).collect()
            } else {
                let why = format!("{} has no schema {}", session.name(), schema.name);
                return Err(unfitting(&why));
            };
            let missing = schema
                .tables
                .iter()
                .find(|plan| !tables.contains(&plan.name));
            if let Some(plan) = missing {
                let (name, schema) = (session.name(), &schema.name);
                return Err(unfitting(&format!(
                    "{name} has no table {schema}.{}",
                    plan.name
                )));
            }
        }
        for node in nodes {
            let mut session = Session::open(&format!("data node {}", node.name), &node.address)?;
            let sql = "SELECT table_schema, table_name FROM information_schema.tables";
            let there: BTreeSet<(String, String)> = session
                .all("list its tables", sql, &[], |row| (row.text(), row.text()))?
                .into_iter()
                .collect();
            for (_, table) in self.topology.tables() {
                for shard in table.shards.iter().filter(|shard| shard.node == node.name) {
                    let name = shard.table.as_ref().unwrap_or(&table.name);
                    if !there.contains(&(shard.database.clone(), name.clone())) {
                        let (server, database) = (session.name(), &shard.database);
                        return Err(unfitting(&format!("{server} has no {database}.{name}")));
                    }
                }
            }
        }
        Ok(())
    }

    fn capture(&mut self, order: &Capture<'_>, sink: Sink<'_>) -> Result<()> {
        // A file that does not say what is would be believed when it is needed.
        self.fits(order.nodes)?;
        capture::capture(self.session()?, self, order, sink)
    }

    fn schemas(&mut self) -> Result<Vec<(String, u64)>> {
        capture::counted_schemas(&mut self.session()?)
    }

    fn schema(&mut self, name: &str) -> Result<Option<SchemaView>> {
        let mut session = self.session()?;
        let mut there = schemas(&mut session)?.into_iter();
        if !there.any(|schema| schema.name == name) {
            return Ok(None);
        }
        let mut tables = Vec::new();
        for (table, kind) in table_names(&mut session, name)? {
            let mut table = table_of(&mut session, name, &table, &kind)?;
            self.topology.tell(&mut table);
            tables.push(table);
        }
        let name = name.to_owned();
        Ok(Some(SchemaView { name, tables }))
    }

    fn accounts(&mut self) -> Result<Vec<(String, String)>> {
        let names = account_names(&mut self.session()?)?.into_iter();
        Ok(names.map(|(user, host, _)| (user, host)).collect())
    }

    fn links(&mut self) -> Result<Vec<(String, String, u16)>> {
        // They are data nodes' names; who registers them says where those are.
        Ok(Vec::new())
    }

    fn create_schema(&mut self, _: &str, _: u32, _: &[DataNode]) -> Result<()> {
        self.not_ours("made")
    }

    fn drop_schema(&mut self, _: &str, _: Option<&[DataNode]>) -> Result<()> {
        self.not_ours("dropped")
    }

    fn may_change_schemas(&self) -> Result<()> {
        self.not_ours("made and dropped")
    }

    fn restore(&mut self, document: &Document, _: &Places) -> Result<()> {
        let mut session = self.session()?;
        restore::remove(&mut session, document)?;
        restore::write(&mut session, document)
    }

    fn withdraw(&mut self, document: &Document) -> Result<()> {
        restore::remove(&mut self.session()?, document)
    }
}

fn unfitting(why: &str) -> Error {
    Error::Unfit(format!("the topology file does not fit: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{
        "version": 1,
        "data_nodes": ["n0", "n1"],
        "schemas": [{"name": "shop", "tables": [
            {"name": "orders", "rule": {"algorithm": "MOD", "key": "id"}, "shards": [
                {"name": "0", "node": "n0", "database": "shop_0"},
                {"name": "1", "node": "n1", "database": "shop_1", "table": "orders_1"}
            ]},
            {"name": "rates", "shards": [{"node": "n0", "database": "shop_0"}]}
        ]}]
    }"#;

    #[test]
    fn a_file_is_read_and_written_and_says_where_a_tables_rows_are() {
        let topology = Topology::parse(FILE).unwrap();
        assert_eq!(Topology::parse(&topology.text()).unwrap(), topology);
        let mut table = Table {
            schema: "shop".to_owned(),
            name: "orders".to_owned(),
            ..Table::default()
        };
        topology.tell(&mut table);
        let places: Vec<_> = table
            .shards
            .iter()
            .map(|shard| (shard.server.as_str(), shard.table.as_str()))
            .collect();
        assert_eq!(places, [("n0.shop_0", "orders"), ("n1.shop_1", "orders_1")]);
        assert_eq!(topology.node_of("n1.shop_1"), Some("n1"));
        assert_eq!(topology.node_of("n2.shop_1"), None);
        topology.check_nodes(["n1", "n0"].into_iter()).unwrap();
        for (given, word) in [
            (vec!["n0"], "not given: n1"),
            (vec!["n0", "n1", "n2"], "n2"),
        ] {
            let error = topology.check_nodes(given.into_iter()).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(topology.bare().schemas, []);
    }

    #[test]
    fn a_file_that_says_too_little_or_too_much_is_refused_with_the_place() {
        for (from, to, word) in [
            ("\"version\": 1", "\"version\": 2", "version 2, known is 1"),
            ("\"version\": 1,", "", "missing field `version`"),
            ("\"key\"", "\"keys\"", "missing field `key`"),
            ("[\"n0\", \"n1\"]", "[\"n0\", \"n0\"]", "twice"),
            ("\"n0\", \"n1\"]", "\"n0\"]", "on n1, no data node"),
            ("\"rates\"", "\"orders\"", "table shop.orders twice"),
            (
                "\"orders_1\"",
                "\"\"",
                "does not say where table shop.orders",
            ),
            (
                "\"rule\": {\"algorithm\": \"MOD\", \"key\": \"id\"}, ",
                "",
                "neither one place nor a rule",
            ),
            (
                "\"name\": \"rates\", \"shards\": [{",
                "\"name\": \"rates\", \"shards\": [{\"table\": \"orders\", ",
                "two things in shop_0.orders on n0",
            ),
            ("]}]\n    }", "]}]", "unreadable: EOF"),
        ] {
            let file = FILE.replacen(from, to, 1);
            assert_ne!(file, FILE, "{from}");
            let error = Topology::parse(&file).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}

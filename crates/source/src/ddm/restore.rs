//! The way back: which server takes whose place, and a document written to an empty layer.
//!
//! A link leads to a server by its address and password, which are those of the servers that the
//! target has; the document knows only which link led to which server. What the document makes is
//! removed first, so that a restore that was interrupted can be run again; the caller has seen that
//! the layer was empty before the first time.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_model::DataNodeId;

use super::{
    capture::schemas,
    document::Document,
    error::{Error, Result},
    layer::{DataNode, Ground},
    session::{Session, literal, quoted},
};

/// Which server takes the place of which.
#[derive(Clone, Debug, Default)]
pub struct Places(BTreeMap<DataNodeId, DataNode>);

impl Places {
    /// Finds for every server of the document the one of `nodes` that has its databases: the same
    /// one if it is among them, else the first that has all of them.
    pub fn find(document: &Document, nodes: &[DataNode]) -> Result<Self> {
        let mut wanted: BTreeMap<DataNodeId, BTreeSet<&str>> = document
            .nodes()
            .iter()
            .map(|node| (node.id, BTreeSet::new()))
            .collect();
        for link in document.links() {
            wanted.entry(link.node).or_default().insert(&link.database);
        }
        if nodes.len() != wanted.len() {
            let message = format!(
                "the metadata need {} data nodes, {} were given",
                wanted.len(),
                nodes.len()
            );
            return Err(Error::Unfit(message));
        }
        let mut there = Vec::new();
        for node in nodes {
            let mut session = Session::open(&format!("data node {}", node.name), &node.address)?;
            let found = schemas(&mut session)?.into_iter();
            let names: BTreeSet<String> = found.map(|schema| schema.name).collect();
            there.push((node, names));
        }
        let mut places = BTreeMap::new();
        let (same, others): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|(id, _)| nodes.iter().any(|node| node.id == *id));
        for (id, databases) in same.into_iter().chain(others) {
            let fits = |(node, names): &(&DataNode, BTreeSet<String>)| {
                let taken = nodes.iter().any(|other| other.id == id) && node.id != id;
                !taken && databases.iter().all(|name| names.contains(*name))
            };
            let Some(place) = there.iter().position(fits) else {
                let names: Vec<_> = databases.into_iter().collect();
                let message = format!(
                    "no given data node has the physical databases {} of data node {id}",
                    names.join(", ")
                );
                return Err(Error::Unfit(message));
            };
            places.insert(id, there.remove(place).0.clone());
        }
        Ok(Self(places))
    }

    /// Every server of the document has its given one.
    pub fn given(document: &Document, nodes: Vec<(DataNodeId, DataNode)>) -> Result<Self> {
        let places = Self(nodes.into_iter().collect());
        for node in document.nodes() {
            places.of(&node.id)?;
        }
        Ok(places)
    }

    /// The server in the place of that one.
    pub fn of(&self, node: &DataNodeId) -> Result<&DataNode> {
        self.0
            .get(node)
            .ok_or_else(|| Error::Unreadable(format!("a link leads to the unknown {node}")))
    }
}

/// Writes schemas, tables, programs and accounts; the provider has made the links.
pub(super) fn write(session: &mut Session, document: &Document) -> Result<()> {
    for schema in document.schemas() {
        let sql = format!(
            "CREATE DATABASE {} CHARACTER SET {} COLLATE {}",
            quoted(&schema.name),
            quoted(&schema.charset),
            quoted(&schema.collation)
        );
        session.run("make a schema", &sql)?;
    }
    let (views, tables): (Vec<_>, Vec<_>) =
        document.tables().partition(|table| table.kind == "view");
    for table in tables {
        session.run("choose a schema", &format!("USE {}", quoted(&table.schema)))?;
        session.run("make a table", &table.create)?;
    }
    // A view may stand on another; those that fail are tried again while some succeed.
    let mut left = views;
    while !left.is_empty() {
        let before = left.len();
        let mut failed = Vec::new();
        let mut last = Ok(());
        for view in left {
            session.run("choose a schema", &format!("USE {}", quoted(&view.schema)))?;
            let ground = view.ground.as_ref();
            if let Err(error) = make(session, "make a view", &view.create, ground) {
                last = Err(error);
                failed.push(view);
            }
        }
        if failed.len() == before {
            return last;
        }
        left = failed;
    }
    for program in document.programs() {
        session.run(
            "choose a schema",
            &format!("USE {}", quoted(&program.schema)),
        )?;
        let ground = Some(&program.ground);
        make(session, "make a stored program", &program.create, ground)?;
    }
    for account in document.accounts() {
        session.run("make an account", &account.create)?;
    }
    for account in document.accounts() {
        for grant in &account.grants {
            session.run("give a right", grant)?;
        }
    }
    Ok(())
}

/// Runs a statement on the ground that it was first written on, because the server keeps that with
/// what the statement makes.
fn make(
    session: &mut Session,
    action: &'static str,
    create: &str,
    ground: Option<&Ground>,
) -> Result<()> {
    let Some(ground) = ground else {
        return session.run(action, create);
    };
    let mut words = vec![format!(
        "sql_mode = {}",
        literal(ground.sql_mode.as_deref().unwrap_or_default())
    )];
    if let Some(zone) = &ground.time_zone {
        words.push(format!("time_zone = {}", literal(zone)));
    }
    // We send UTF-8. Under another character set only letters that all have are safe.
    if create.is_ascii() || ground.charset.starts_with("utf8") {
        words.push(format!(
            "character_set_client = {}",
            literal(&ground.charset)
        ));
        words.push(format!(
            "collation_connection = {}",
            literal(&ground.collation)
        ));
    }
    session.run(action, &format!("SET SESSION {}", words.join(", ")))?;
    let made = session.run(action, create);
    session.plain()?;
    made
}

/// Removes what [`write`] makes.
pub(super) fn remove(session: &mut Session, document: &Document) -> Result<()> {
    for account in document.accounts() {
        let sql = if account.role {
            format!("DROP ROLE IF EXISTS {}", quoted(&account.user))
        } else {
            let who = format!("{}@{}", literal(&account.user), literal(&account.host));
            format!("DROP USER IF EXISTS {who}")
        };
        session.run("remove an account", &sql)?;
    }
    for schema in document.schemas() {
        let sql = format!("DROP DATABASE IF EXISTS {}", quoted(&schema.name));
        session.run("remove a schema", &sql)?;
    }
    Ok(())
}

//! MariaDB with its Spider engine: partitions are links to tables on other servers.
//!
//! A link is a row of `mysql.servers`, which has the password too; that column is never read. What
//! is where stands in comments of tables and partitions ([`comment`]).

mod comment;

use std::collections::BTreeSet;

use super::{
    address::Address,
    capture::{self, Reading, account_names, schemas, table_names, table_of},
    document::{Document, Link},
    error::{Error, Result},
    layer::{Capture, DataNode, Looked, SchemaView, ShardingLayer, Sink, Table},
    restore::{self, Places},
    session::{Columns, Session, literal, quoted},
};

/// A MariaDB server with Spider.
pub(super) struct Spider {
    name: String,
    address: Address,
}

impl Spider {
    pub(super) fn new(name: &str, address: &Address) -> Self {
        Self {
            name: format!("instance {name}"),
            address: address.clone(),
        }
    }

    fn session(&self) -> Result<Session> {
        let mut session = Session::open(&self.name, &self.address)?;
        let sql = "SELECT support FROM information_schema.engines WHERE engine = 'SPIDER'";
        let support = session.first("list its engines", sql, Columns::text)?;
        if !matches!(support.as_deref(), Some("YES" | "DEFAULT")) {
            let why = format!(
                "{} has no Spider engine; install the plugin ha_spider there",
                session.name()
            );
            return Err(Error::Unfit(why));
        }
        Ok(session)
    }
}

/// A row of `mysql.servers`.
struct Server {
    name: String,
    host: String,
    port: u16,
    database: String,
    wrapper: String,
}

fn servers(session: &mut Session) -> Result<Vec<Server>> {
    let sql = "SELECT Server_name, Host, Port, Db, Wrapper FROM mysql.servers ORDER BY Server_name";
    session.all("list its links", sql, &[], |row| Server {
        name: row.text(),
        host: row.text(),
        port: row.text().parse().unwrap_or_default(),
        database: row.text(),
        wrapper: row.text(),
    })
}

impl Reading for Spider {
    fn links(&self, session: &mut Session, order: &Capture<'_>) -> Result<Vec<Link>> {
        let mut links = Vec::new();
        for server in servers(session)? {
            let node = order
                .nodes
                .iter()
                .find(|node| node.address.is_at(&server.host, server.port));
            let Some(node) = node else {
                let why = format!(
                    "link {} of {} leads to {}:{}, which is no data node of the instance; \
                     register it with the instance",
                    server.name,
                    session.name(),
                    server.host,
                    server.port
                );
                return Err(Error::Unfit(why));
            };
            links.push(Link {
                name: server.name,
                node: node.id,
                database: server.database,
                wrapper: server.wrapper,
            });
        }
        Ok(links)
    }

    fn place(&self, table: &mut Table, links: &[Link]) -> Result<()> {
        comment::place(table);
        for shard in &mut table.shards {
            let Some(link) = links.iter().find(|link| link.name == shard.server) else {
                let why = format!(
                    "table {}.{} is on link {:?}, which is not there",
                    table.schema, table.name, shard.server
                );
                return Err(Error::Unfit(why));
            };
            if shard.database.is_empty() {
                shard.database.clone_from(&link.database);
            }
        }
        Ok(())
    }
}

impl ShardingLayer for Spider {
    fn look(&mut self) -> Result<Looked> {
        self.session()?.look()
    }

    fn capture(&mut self, order: &Capture<'_>, sink: Sink<'_>) -> Result<()> {
        capture::capture(self.session()?, self, order, sink)
    }

    fn schemas(&mut self) -> Result<Vec<(String, u64)>> {
        capture::counted_schemas(&mut self.session()?)
    }

    fn schema(&mut self, name: &str) -> Result<Option<SchemaView>> {
        let mut session = self.session()?;
        let there = schemas(&mut session)?
            .iter()
            .any(|schema| schema.name == name);
        if !there {
            return Ok(None);
        }
        let mut tables = Vec::new();
        let servers = servers(&mut session)?;
        for (table, kind) in table_names(&mut session, name)? {
            let mut table = table_of(&mut session, name, &table, &kind)?;
            comment::place(&mut table);
            for shard in &mut table.shards {
                let link = servers.iter().find(|link| link.name == shard.server);
                if let Some(link) = link.filter(|_| shard.database.is_empty()) {
                    shard.database.clone_from(&link.database);
                }
            }
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
        let servers = servers(&mut self.session()?)?.into_iter();
        Ok(servers
            .map(|server| (server.name, server.host, server.port))
            .collect())
    }

    fn create_schema(&mut self, name: &str, shards: u32, nodes: &[DataNode]) -> Result<()> {
        let mut session = self.session()?;
        let mut sessions = Vec::new();
        for node in nodes {
            sessions.push(Session::open(
                &format!("data node {}", node.name),
                &node.address,
            )?);
        }
        for shard in 0..shards {
            let database = physical(name, shard);
            let place = shard as usize * nodes.len() / shards as usize;
            let (Some(node), Some(there)) = (nodes.get(place), sessions.get_mut(place)) else {
                return Err(Error::Unfit("a schema needs a data node".to_owned()));
            };
            let sql = format!("CREATE DATABASE IF NOT EXISTS {}", quoted(&database));
            there.run("make a physical database", &sql)?;
            make_link(&mut session, &database, &database, node)?;
        }
        let sql = format!("CREATE DATABASE IF NOT EXISTS {}", quoted(name));
        session.run("make a schema", &sql)
    }

    fn drop_schema(&mut self, name: &str, data: Option<&[DataNode]>) -> Result<()> {
        let mut session = self.session()?;
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut others: BTreeSet<String> = BTreeSet::new();
        for schema in schemas(&mut session)? {
            for (table, kind) in table_names(&mut session, &schema.name)? {
                let mut table = table_of(&mut session, &schema.name, &table, &kind)?;
                comment::place(&mut table);
                let set = if schema.name == name {
                    &mut used
                } else {
                    &mut others
                };
                set.extend(table.shards.into_iter().map(|shard| shard.server));
            }
        }
        let servers = servers(&mut session)?;
        let own = |server: &Server| {
            let made_for_it = server
                .name
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('_'))
                .is_some_and(|digits| digits.len() == 4 && digits.parse::<u32>().is_ok());
            (used.contains(&server.name) || made_for_it) && !others.contains(&server.name)
        };
        let sql = format!("DROP DATABASE IF EXISTS {}", quoted(name));
        session.run("remove a schema", &sql)?;
        for server in servers.iter().filter(|server| own(server)) {
            for node in data.unwrap_or_default() {
                if node.address.is_at(&server.host, server.port) {
                    let sql = format!("DROP DATABASE IF EXISTS {}", quoted(&server.database));
                    Session::open(&format!("data node {}", node.name), &node.address)?
                        .run("remove a physical database", &sql)?;
                }
            }
            let sql = format!("DROP SERVER IF EXISTS {}", quoted(&server.name));
            session.run("remove a link", &sql)?;
        }
        Ok(())
    }

    fn restore(&mut self, document: &Document, places: &Places) -> Result<()> {
        self.withdraw(document)?;
        let mut session = self.session()?;
        for link in document.links() {
            let node = places.of(&link.node)?;
            make_link(&mut session, &link.name, &link.database, node)?;
        }
        restore::write(&mut session, document)
    }

    fn withdraw(&mut self, document: &Document) -> Result<()> {
        let mut session = self.session()?;
        restore::remove(&mut session, document)?;
        for link in document.links() {
            let sql = format!("DROP SERVER IF EXISTS {}", quoted(&link.name));
            session.run("remove a link", &sql)?;
        }
        Ok(())
    }
}

/// The physical database of a shard.
fn physical(schema: &str, shard: u32) -> String {
    format!("{schema}_{shard:04}")
}

fn make_link(session: &mut Session, name: &str, database: &str, node: &DataNode) -> Result<()> {
    let address = &node.address;
    let sql = format!(
        "CREATE OR REPLACE SERVER {} FOREIGN DATA WRAPPER mysql OPTIONS (HOST {}, PORT {}, \
         DATABASE {}, USER {}, PASSWORD {})",
        quoted(name),
        literal(&address.host),
        address.port,
        literal(database),
        literal(&address.user),
        literal(&address.password)
    );
    session.run("make a link", &sql)
}

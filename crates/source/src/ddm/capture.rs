//! The document of a layer: read while it works, and proven not to have changed meanwhile.
//!
//! Reading twenty thousand statements takes seconds for which no service should stand still. So
//! the schemas are read without a lock; then commits are held back, and if the server has counted
//! no change of schemas, accounts or links since the reading began, what was read is what is there
//! now. Otherwise the capture fails as [`Error::Changed`] and may be made again, at last with the
//! lock held all the time ([`Capture::still`]).

use std::collections::BTreeMap;

use super::{
    document::{
        Account, End, Head, Line, Link, NodeLine, Parameters, Place, Position, Program, Schema,
        VERSION,
    },
    error::{Error, Result},
    layer::{Capture, Ground, Sink, Table},
    lock,
    session::{Columns, Session, quoted},
};

/// Schemas that belong to a server itself.
pub(super) const OWN_SCHEMAS: &[&str] =
    &["information_schema", "mysql", "performance_schema", "sys"];
/// Accounts that belong to a server itself.
const OWN_USERS: &[&str] = &[
    "PUBLIC",
    "mariadb.sys",
    "mysql",
    "mysql.infoschema",
    "mysql.session",
    "mysql.sys",
    "root",
];

/// How a provider reads what is its own.
pub(super) trait Reading {
    /// The links that the layer has to its servers.
    fn links(&self, session: &mut Session, order: &Capture<'_>) -> Result<Vec<Link>>;

    /// Fills in how the rows of a table are spread and where its parts are.
    fn place(&self, table: &mut Table, links: &[Link]) -> Result<()>;
}

/// Captures a layer.
pub(super) fn capture(
    mut layer: Session,
    reading: &dyn Reading,
    order: &Capture<'_>,
    sink: Sink<'_>,
) -> Result<()> {
    // All servers answer before anything is written: a backup without one is none.
    let mut servers = Vec::new();
    for node in order.nodes {
        let mut session = Session::open(&format!("data node {}", node.name), &node.address)?;
        let looked = session.look()?;
        servers.push((node, session, looked));
    }
    let looked = layer.look()?;
    let mut held = None;
    if order.still {
        held = Some(hold(&mut layer, &mut servers, order)?);
    }
    let before = changes(&mut layer)?;
    sink(&Line::Head(Head {
        version: VERSION,
        instance_id: order.instance.0.clone(),
        instance_name: order.instance.1.clone(),
        provider: order.provider.to_owned(),
        engine: looked.engine,
        engine_version: looked.version,
    }))?;
    for (node, _, looked) in &servers {
        sink(&Line::DataNode(NodeLine {
            id: node.id,
            name: node.name.clone(),
            host: node.address.host.clone(),
            port: node.address.port,
            engine: looked.engine.clone(),
            engine_version: looked.version.clone(),
        }))?;
    }
    let mut count = Count::default();
    body(&mut layer, reading, order, &mut count, sink)?;
    let held = match held {
        Some(held) => held,
        None => hold(&mut layer, &mut servers, order)?,
    };
    // A statement is counted when it arrives, also one that waits for the lock: where that was held
    // all the time, nothing has changed whatever is counted.
    let same = order.still || changes(&mut layer)? == before;
    for (_, session, _) in &mut servers {
        lock::release(session)?;
    }
    lock::release(&mut layer)?;
    if !same {
        return Err(Error::Changed(layer.name().to_owned()));
    }
    let still_micros = order.clock.now().micros_since(held.since);
    sink(&Line::End(End {
        taken_at: held.taken_at.as_micros(),
        still_micros,
        positions: held.positions,
        layer: held.layer,
        schemas: count.schemas,
        tables: count.tables,
        accounts: count.accounts,
    }))
}

/// The instant at which nothing was being written.
struct Held {
    since: strongroom_model::Timestamp,
    taken_at: strongroom_model::Timestamp,
    positions: Vec<Position>,
    layer: Option<Place>,
}

type Server<'a> = (&'a super::DataNode, Session, super::Looked);

fn hold(layer: &mut Session, servers: &mut [Server<'_>], order: &Capture<'_>) -> Result<Held> {
    let since = order.clock.now();
    lock::hold(layer)?;
    for (_, session, _) in &mut *servers {
        lock::hold(session)?;
    }
    let taken_at = order.clock.now();
    let mut positions = Vec::new();
    for (node, session, _) in servers {
        positions.push(lock::position(session, node.id)?);
    }
    Ok(Held {
        since,
        taken_at,
        positions,
        layer: lock::place(layer)?,
    })
}

#[derive(Default)]
struct Count {
    schemas: u64,
    tables: u64,
    accounts: u64,
}

fn body(
    layer: &mut Session,
    reading: &dyn Reading,
    order: &Capture<'_>,
    count: &mut Count,
    sink: Sink<'_>,
) -> Result<()> {
    let links = reading.links(layer, order)?;
    for link in &links {
        sink(&Line::Link(link.clone()))?;
    }
    let values: BTreeMap<String, String> = layer
        .all("show its parameters", "SHOW GLOBAL VARIABLES", &[], |row| {
            (row.text(), row.text())
        })?
        .into_iter()
        .collect();
    sink(&Line::Parameters(Parameters { values }))?;
    for account in accounts(layer)? {
        count.accounts += 1;
        sink(&Line::Account(account))?;
    }
    for schema in schemas(layer)? {
        count.schemas += 1;
        let name = schema.name.clone();
        sink(&Line::Schema(schema))?;
        for (table, kind) in table_names(layer, &name)? {
            let mut table = table_of(layer, &name, &table, &kind)?;
            reading.place(&mut table, &links)?;
            count.tables += 1;
            sink(&Line::Table(table))?;
        }
        for program in programs(layer, &name)? {
            sink(&Line::Program(program))?;
        }
    }
    Ok(())
}

/// How many statements that change what a document holds the server has counted.
fn changes(session: &mut Session) -> Result<u64> {
    const PREFIXES: &[&str] = &[
        "Com_alter_",
        "Com_create_",
        "Com_drop_",
        "Com_grant",
        "Com_rename_",
        "Com_revoke",
    ];
    let mut sum = 0_u64;
    let sql = "SHOW GLOBAL STATUS LIKE 'Com%'";
    session.each("show its counters", sql, &[], |row| {
        let (name, value) = (row.text(), row.text());
        if PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            sum += value.parse::<u64>().unwrap_or_default();
        }
        Ok(())
    })?;
    Ok(sum)
}

/// The logical schemas.
pub(super) fn schemas(session: &mut Session) -> Result<Vec<Schema>> {
    let sql = "SELECT schema_name, default_character_set_name, default_collation_name \
               FROM information_schema.schemata ORDER BY schema_name";
    let mut found = session.all("list its schemas", sql, &[], |row| Schema {
        name: row.text(),
        charset: row.text(),
        collation: row.text(),
    })?;
    found.retain(|schema| !OWN_SCHEMAS.contains(&schema.name.as_str()));
    Ok(found)
}

/// The names of the logical schemas, and how many tables each has.
pub(super) fn counted_schemas(session: &mut Session) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for schema in schemas(session)? {
        let tables = table_names(session, &schema.name)?.len() as u64;
        found.push((schema.name, tables));
    }
    Ok(found)
}

/// Names and kinds of a schema's tables: tables before the views that may hang on them.
pub(super) fn table_names(session: &mut Session, schema: &str) -> Result<Vec<(String, String)>> {
    let sql = format!("SHOW FULL TABLES FROM {}", quoted(schema));
    let mut found = session.all("list its tables", &sql, &[], |row| {
        let (name, kind) = (row.text(), row.text());
        let kind = match kind.as_str() {
            "VIEW" => "view",
            "SEQUENCE" => "sequence",
            _ => "table",
        };
        (name, kind.to_owned())
    })?;
    found.sort_by(|one, other| (&one.1, &one.0).cmp(&(&other.1, &other.0)));
    Ok(found)
}

/// A table with the statement that makes it.
pub(super) fn table_of(
    session: &mut Session,
    schema: &str,
    name: &str,
    kind: &str,
) -> Result<Table> {
    let sql = format!("SHOW CREATE TABLE {}.{}", quoted(schema), quoted(name));
    let shown = session.first("show a table", &sql, |row| {
        row.skip();
        let create = row.text();
        let ground = (kind == "view").then(|| Ground {
            charset: row.text(),
            collation: row.text(),
            ..Ground::default()
        });
        (create, ground)
    })?;
    let (create, ground) = shown.unwrap_or_default();
    Ok(Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        create,
        ground,
        ..Table::default()
    })
}

/// Accounts with their rights, without the server's own and without ours.
pub(super) fn accounts(session: &mut Session) -> Result<Vec<Account>> {
    let mut accounts = Vec::new();
    for (user, host, role) in account_names(session)? {
        let who = if role {
            quoted(&user)
        } else {
            format!("{}@{}", quoted(&user), quoted(&host))
        };
        let create = if role {
            format!("CREATE ROLE {who}")
        } else {
            let sql = format!("SHOW CREATE USER {who}");
            let shown = session.first("show an account", &sql, Columns::text)?;
            shown.unwrap_or_default()
        };
        let sql = format!("SHOW GRANTS FOR {who}");
        let grants = session.all("show rights", &sql, &[], Columns::text)?;
        accounts.push(Account {
            user,
            host,
            role,
            create,
            grants,
        });
    }
    // A role must be there before somebody is given it.
    accounts.sort_by_key(|account| !account.role);
    Ok(accounts)
}

/// Name, host and whether it is a role.
pub(super) fn account_names(session: &mut Session) -> Result<Vec<(String, String, bool)>> {
    let ours = session.first("say who we are", "SELECT CURRENT_USER()", Columns::text)?;
    let roles = if session.look()?.engine == "MariaDB" {
        "is_role"
    } else {
        "'N'"
    };
    let sql = format!("SELECT User, Host, {roles} FROM mysql.user ORDER BY User, Host");
    let mut found = session.all("list its accounts", &sql, &[], |row| {
        (row.text(), row.text(), row.text() == "Y")
    })?;
    found.retain(|(user, host, _)| {
        !OWN_USERS.contains(&user.as_str()) && ours.as_ref() != Some(&format!("{user}@{host}"))
    });
    Ok(found)
}

/// Stored programs of a schema.
fn programs(session: &mut Session, schema: &str) -> Result<Vec<Program>> {
    let action = "list its stored programs";
    let sql = "SELECT LOWER(routine_type), routine_name FROM information_schema.routines \
               WHERE routine_schema = ? UNION ALL \
               SELECT 'trigger', trigger_name FROM information_schema.triggers \
               WHERE trigger_schema = ? UNION ALL \
               SELECT 'event', event_name FROM information_schema.events \
               WHERE event_schema = ?";
    let names = session.all(action, sql, &[schema, schema, schema], |row| {
        (row.text(), row.text())
    })?;
    let mut programs = Vec::new();
    for (kind, name) in names {
        let word = match kind.as_str() {
            "procedure" => "PROCEDURE",
            "function" => "FUNCTION",
            "trigger" => "TRIGGER",
            "event" => "EVENT",
            _ => continue,
        };
        let sql = format!("SHOW CREATE {word} {}.{}", quoted(schema), quoted(&name));
        let shown = session.first("show a stored program", &sql, |row| {
            row.skip();
            let sql_mode = row.maybe();
            // An event's time zone stands before its statement.
            let time_zone = (kind == "event").then(|| row.text());
            let create = row.maybe()?;
            let ground = Ground {
                sql_mode,
                time_zone,
                charset: row.text(),
                collation: row.text(),
            };
            Some((create, ground))
        })?;
        let Some((create, ground)) = shown.flatten() else {
            let problem = format!(
                "{} does not show {word} {schema}.{name} to us",
                session.name()
            );
            return Err(Error::Unfit(problem));
        };
        programs.push(Program {
            schema: schema.to_owned(),
            kind,
            name,
            create,
            ground,
        });
    }
    Ok(programs)
}

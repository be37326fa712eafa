//! What is in audit logs.
//!
//! A directory holds the logs of one database server, so there is one database in each instance's
//! list. What no log says (a client's program, a server's address) is empty, and a filter that asks
//! for it finds nothing.

use strongroom_control::{
    Caller,
    dbss::{
        instances::Instance,
        statements::{Hit, Order as OurOrder, Outcome, Query, StatementKind},
    },
};
use strongroom_wire::dbss::{
    self as wire,
    statement::{
        Database, DatabaseItem, DatabaseStatus, DatabaseType, ListDatabasesQuery,
        ListDatabasesReply, ListSqlsReply, ListSqlsRequest, Order, QueryType, Response, RiskLevel,
        Sql, SqlDetail, SqlDetailReply, SqlItem, Touched,
    },
};

use super::words::{instance, numbered, page, span, time, window};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn databases_old(
    cloud: &Cloud,
    call: &Call<wire::ListAuditDatabases>,
) -> Result<ListDatabasesReply, Failure> {
    databases_of(cloud, &call.caller()?, &call.path.instance_id, &call.query)
}

pub(super) fn databases(
    cloud: &Cloud,
    call: &Call<wire::ListAuditDatabasesNew>,
) -> Result<ListDatabasesReply, Failure> {
    databases_of(cloud, &call.caller()?, &call.path.instance_id, &call.query)
}

fn databases_of(
    cloud: &Cloud,
    caller: &Caller,
    id: &str,
    query: &ListDatabasesQuery,
) -> Result<ListDatabasesReply, Failure> {
    let found = cloud.control.show_logs(caller, instance(id)?)?;
    let page = page(query.limit, query.offset);
    let wanted = |database: &Database| query.status.is_none_or(|status| status == database.status);
    let all: Vec<_> = database_of(&found).filter(wanted).into_iter().collect();
    Ok(ListDatabasesReply {
        total: all.len() as u64,
        databases: window(all, &page)
            .into_iter()
            .map(|database| DatabaseItem { database })
            .collect(),
    })
}

/// The server whose logs a directory holds; none if the logs do not say what wrote them.
pub(super) fn database_of(found: &Instance) -> Option<Database> {
    let kind = kind_of(&found.format)?;
    let watched = found.status.as_str() != "SHUTOFF";
    Some(Database {
        id: found.id.to_string(),
        name: found.name.clone(),
        kind,
        version: String::new(),
        charset: "UTF8".to_owned(),
        ip: String::new(),
        port: String::new(),
        os: "LINUX64".to_owned(),
        status: if watched {
            DatabaseStatus::On
        } else {
            DatabaseStatus::Off
        },
        instance_name: Some(found.name.clone()),
        audit_status: Some(found.status.as_str().to_owned()),
        agent_url: Vec::new(),
        db_classification: "ECS".to_owned(),
        rds_audit_switch_mismatch: false,
        rds_id: None,
        rds_obj_info: None,
        dws_obj_info: None,
        clouddb_obj_info: None,
    })
}

fn kind_of(format: &str) -> Option<DatabaseType> {
    match format {
        "server_audit" => Some(DatabaseType::MySql),
        "postgres_csv" => Some(DatabaseType::PostgreSql),
        _ => None,
    }
}

pub(super) fn list_old(
    cloud: &Cloud,
    call: &Call<wire::ListAuditSqls>,
) -> Result<ListSqlsReply, Failure> {
    sqls(cloud, &call.caller()?, &call.path.instance_id, &call.body)
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListAuditSqlsNew>,
) -> Result<ListSqlsReply, Failure> {
    sqls(cloud, &call.caller()?, &call.path.instance_id, &call.body)
}

fn sqls(
    cloud: &Cloud,
    caller: &Caller,
    id: &str,
    asked: &ListSqlsRequest,
) -> Result<ListSqlsReply, Failure> {
    let id = instance(id)?;
    let page = numbered(asked.page.0, asked.size.0)?;
    let (from, to) = span(&asked.time, cloud.clock.now())?;
    // The instance must be there, whatever is looked for.
    cloud.control.show_logs(caller, id)?;
    if asks_for_what_no_log_says(asked) {
        return Ok(ListSqlsReply {
            total: 0,
            count: 0,
            sqls: Vec::new(),
        });
    }
    let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let query = Query {
        from,
        to,
        user: said(&asked.db_user),
        client_ip: said(&asked.client_ip),
        kind: asked.query_type.and_then(kind_asked),
        keyword: said(&asked.sql_statement),
        outcome: asked.sql_response.map(|response| match response {
            Response::Success => Outcome::Succeeded,
            Response::Failed => Outcome::Failed,
        }),
        order: match asked.time_order {
            Order::Descending => OurOrder::NewestFirst,
            Order::Ascending => OurOrder::OldestFirst,
        },
        offset: usize::try_from(page.offset).unwrap_or(usize::MAX),
        limit: page.limit as usize,
        ..Query::default()
    };
    let found = cloud.control.search_logs(caller, id, &query)?;
    Ok(ListSqlsReply {
        total: found.total,
        count: found.total,
        sqls: found
            .hits
            .into_iter()
            .map(|hit| SqlItem { sql: row(hit) })
            .collect(),
    })
}

fn asks_for_what_no_log_says(asked: &ListSqlsRequest) -> bool {
    let named = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    named(&asked.client_name)
        || named(&asked.db_ip)
        || named(&asked.rule_name)
        || asked
            .risk_levels
            .is_some_and(|level| level != RiskLevel::None)
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowSqlDetail>,
) -> Result<SqlDetailReply, Failure> {
    let id = instance(&call.path.instance_id)?;
    let caller = call.caller()?;
    let logs = cloud.control.show_logs(&caller, id)?;
    let hit = cloud.control.show_statement(&caller, id, &call.path.id)?;
    let at = shown_time(&hit);
    Ok(SqlDetailReply {
        sql: SqlDetail {
            client_ip: hit.host.clone(),
            client_name: String::new(),
            db_instance: hit.database.clone(),
            db_ip: String::new(),
            db_session_id: hit.connection.clone(),
            db_type: kind_of(&logs.format).unwrap_or(DatabaseType::MySql),
            db_user: hit.user.clone(),
            end_time: at.clone(),
            id: hit.id.to_string(),
            level: RiskLevel::None,
            object: hit.object.clone(),
            query_id: hit.query.clone(),
            query_type: kind_shown(hit.kind),
            schema: hit.database.clone(),
            sql_response: response(&hit),
            sql_result: hit
                .return_code
                .map(|code| code.to_string())
                .unwrap_or_default(),
            sql_statement: hit.statement,
            start_time: at,
        },
    })
}

fn shown_time(hit: &Hit) -> String {
    hit.time.map(|at| time(at).to_string()).unwrap_or_default()
}

const fn response(hit: &Hit) -> Response {
    if hit.succeeded {
        Response::Success
    } else {
        Response::Failed
    }
}

fn row(hit: Hit) -> Sql {
    let query_type = kind_shown(hit.kind);
    let touched = (!hit.object.is_empty()).then(|| Touched {
        column_name: String::new(),
        object_type: "TABLE".to_owned(),
        schema_name: hit.database.clone(),
        sql_type: query_type,
        sys_name: String::new(),
        table_name: hit.object.clone(),
    });
    Sql {
        id: hit.id.to_string(),
        start_time: shown_time(&hit),
        sql_response: response(&hit),
        sql_statement: hit.statement,
        client_ip: hit.host,
        client_name: String::new(),
        db_ip: String::new(),
        db_user: hit.user,
        query_type,
        operated_obj_info: touched.into_iter().collect(),
        rule_name: String::new(),
        risk_level: RiskLevel::None,
        db_instance: hit.database,
    }
}

const fn kind_shown(kind: StatementKind) -> QueryType {
    match kind {
        StatementKind::Login => QueryType::Login,
        StatementKind::CreateTable => QueryType::CreateTable,
        StatementKind::CreateTablespace => QueryType::CreateTablespace,
        StatementKind::DropTable => QueryType::DropTable,
        StatementKind::DropTablespace => QueryType::DropTablespace,
        StatementKind::Delete => QueryType::Delete,
        StatementKind::Insert => QueryType::Insert,
        StatementKind::InsertSelect => QueryType::InsertSelect,
        StatementKind::Select => QueryType::Select,
        StatementKind::SelectForUpdate => QueryType::SelectForUpdate,
        StatementKind::Update => QueryType::Update,
        StatementKind::CreateUser => QueryType::CreateUser,
        StatementKind::DropUser => QueryType::DropUser,
        StatementKind::Grant => QueryType::Grant,
        StatementKind::Operate => QueryType::Operate,
    }
}

/// The kind that a filter asks for; none for whatever.
const fn kind_asked(kind: QueryType) -> Option<StatementKind> {
    Some(match kind {
        QueryType::Login => StatementKind::Login,
        QueryType::CreateTable => StatementKind::CreateTable,
        QueryType::CreateTablespace => StatementKind::CreateTablespace,
        QueryType::DropTable => StatementKind::DropTable,
        QueryType::DropTablespace => StatementKind::DropTablespace,
        QueryType::Delete => StatementKind::Delete,
        QueryType::Insert => StatementKind::Insert,
        QueryType::InsertSelect => StatementKind::InsertSelect,
        QueryType::Select => StatementKind::Select,
        QueryType::SelectForUpdate => StatementKind::SelectForUpdate,
        QueryType::Update => StatementKind::Update,
        QueryType::CreateUser => StatementKind::CreateUser,
        QueryType::DropUser => StatementKind::DropUser,
        QueryType::Grant => StatementKind::Grant,
        QueryType::Operate => StatementKind::Operate,
        QueryType::All => return None,
    })
}

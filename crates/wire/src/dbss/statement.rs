//! What is in the logs: statements, and the databases that they were sent to.

use serde::{Deserialize, Serialize};

use super::Number;
use crate::time::DbssTime;

words! {
    /// A time that ends now.
    Span, "time range" {
        /// 30 minutes.
        HalfHour = "HALF_HOUR",
        /// An hour.
        Hour = "HOUR",
        /// Three hours.
        ThreeHours = "THREE_HOUR",
        /// Twelve hours.
        TwelveHours = "TWELVE_HOUR",
        /// A day.
        Day = "DAY",
        /// Seven days.
        Week = "WEEK",
        /// 30 days.
        Month = "MONTH",
    }

    /// How bad a rule calls a statement.
    RiskLevel, "risk level" {
        /// Very.
        High = "HIGH",
        /// Rather.
        Medium = "MEDIUM",
        /// A little.
        Low = "LOW",
        /// Not at all.
        None = "NO_RISK",
    }

    /// What a statement does.
    QueryType, "kind of statement" {
        /// Somebody came or went.
        Login = "LOGIN",
        /// A table is made.
        CreateTable = "CREATE_TABLE",
        /// A tablespace is made.
        CreateTablespace = "CREATE_TABLESPACE",
        /// A table is dropped.
        DropTable = "DROP_TABLE",
        /// A tablespace is dropped.
        DropTablespace = "DROP_TABLESPACE",
        /// Rows are deleted.
        Delete = "DELETE",
        /// Rows are added.
        Insert = "INSERT",
        /// Rows are added from others.
        InsertSelect = "INSERT_SELECT",
        /// Rows are read.
        Select = "SELECT",
        /// Rows are read to be changed.
        SelectForUpdate = "SELECT_FOR_UPDATE",
        /// Rows are changed.
        Update = "UPDATE",
        /// An account is made.
        CreateUser = "CREATE_USER",
        /// An account is dropped.
        DropUser = "DROP_USER",
        /// Rights are given.
        Grant = "GRANT",
        /// Anything else.
        Operate = "OPERATE",
        /// Whatever; as a filter.
        All = "ALL",
    }

    /// What came of a statement.
    Response, "response" {
        /// It was done.
        Success = "SUCCESS",
        /// It was refused, or failed.
        Failed = "FAILED",
    }

    /// Which way a list is sorted.
    Order, "order" {
        /// The newest first.
        Descending = "DESC",
        /// The oldest first.
        Ascending = "ASC",
    }

    /// Whether a database is watched.
    DatabaseStatus, "status of a database" {
        /// It is.
        On = "ON",
        /// It is not.
        Off = "OFF",
    }

    /// What a database is.
    DatabaseType, "kind of database" {
        /// MySQL and MariaDB.
        MySql = "MYSQL",
        /// PostgreSQL.
        PostgreSql = "POSTGRESQL",
    }
}

/// A time from and until, or one that ends now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TimeRange {
    /// Until.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<DbssTime>,
    /// From.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<DbssTime>,
    /// Ends now; not with the other two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_range: Option<Span>,
}

/// The body of `ListAuditSqls` and its successor (model `AuditSqlRequest`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSqlsRequest {
    /// When.
    pub time: TimeRange,
    /// How bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk_levels: Option<RiskLevel>,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ip: Option<String>,
    /// By which program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    /// To which server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_ip: Option<String>,
    /// By which account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub db_user: Option<String>,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query_type: Option<QueryType>,
    /// Which rule it met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
    /// A part of its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_statement: Option<String>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_response: Option<Response>,
    /// The page's number, from 1.
    pub page: Number,
    /// Rows of a page.
    pub size: Number,
    /// Which way.
    pub time_order: Order,
}

/// The answer of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSqlsReply {
    /// Rows over all pages.
    pub total: u64,
    /// The same.
    pub count: u64,
    /// The page.
    pub sqls: Vec<SqlItem>,
}

/// A statement in its wrapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlItem {
    /// The statement.
    pub sql: Sql,
}

/// A statement (model `AuditSqlResponseSql`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sql {
    /// Its id.
    pub id: String,
    /// Its text.
    pub sql_statement: String,
    /// From where.
    pub client_ip: String,
    /// By which program; empty where the logs do not say.
    pub client_name: String,
    /// To which server.
    pub db_ip: String,
    /// By which account.
    pub db_user: String,
    /// What it does.
    pub query_type: QueryType,
    /// What it touched.
    pub operated_obj_info: Vec<Touched>,
    /// Which rule it met: none.
    pub rule_name: String,
    /// How bad a rule calls it: no rules are known here.
    pub risk_level: RiskLevel,
    /// When.
    pub start_time: String,
    /// What came of it.
    pub sql_response: Response,
    /// In which database.
    pub db_instance: String,
}

/// What a statement touched (model `AuditSqlResponseSqlOperatedObjInfo`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touched {
    /// A column.
    pub column_name: String,
    /// What it is.
    pub object_type: String,
    /// Its schema.
    pub schema_name: String,
    /// What was done with it.
    pub sql_type: QueryType,
    /// Its system.
    pub sys_name: String,
    /// Its table.
    pub table_name: String,
}

/// The answer of `ShowSqlDetail`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlDetailReply {
    /// The statement.
    pub sql: SqlDetail,
}

/// A statement with all that is known of it (model `SqlDetailBean`), without what no log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlDetail {
    /// From where.
    pub client_ip: String,
    /// By which program; empty where the logs do not say.
    pub client_name: String,
    /// In which database.
    pub db_instance: String,
    /// To which server.
    pub db_ip: String,
    /// In which session.
    pub db_session_id: String,
    /// What the server is.
    pub db_type: DatabaseType,
    /// By which account.
    pub db_user: String,
    /// When.
    pub end_time: String,
    /// Its id.
    pub id: String,
    /// How bad a rule calls it.
    pub level: RiskLevel,
    /// What it touched.
    pub object: String,
    /// Its number on its server.
    pub query_id: String,
    /// What it does.
    pub query_type: QueryType,
    /// In which schema.
    pub schema: String,
    /// What came of it.
    pub sql_response: Response,
    /// The server's code for it.
    pub sql_result: String,
    /// Its text.
    pub sql_statement: String,
    /// When.
    pub start_time: String,
}

queries! {
    /// What `ListAuditDatabases` and its successor ask for.
    ListDatabasesQuery {
        /// Whether they are watched.
        status: Option<DatabaseStatus>,
        /// Rows to skip.
        offset: Option<crate::query::Offset>,
        /// Rows in the page; 100 if nothing is said.
        limit: Option<super::LongLimit>,
    }
}

/// The answer of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListDatabasesReply {
    /// The page.
    pub databases: Vec<DatabaseItem>,
    /// Rows over all pages.
    pub total: u64,
}

/// A database in its wrapping.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatabaseItem {
    /// The database.
    pub database: Database,
}

/// A database that logs tell of (model `DataBase`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: DatabaseType,
    /// Its version; empty where the logs do not say.
    pub version: String,
    /// Its character set.
    pub charset: String,
    /// Where it is; empty where the logs do not say.
    pub ip: String,
    /// Its port.
    pub port: String,
    /// Its operating system.
    pub os: String,
    /// Whether it is watched.
    pub status: DatabaseStatus,
    /// Its name once more.
    pub instance_name: Option<String>,
    /// What the instance does.
    pub audit_status: Option<String>,
    /// The agents that send its logs: none.
    pub agent_url: Vec<String>,
    /// Who runs it: its owner.
    pub db_classification: String,
    /// Whether the vendor's database sends no logs.
    pub rds_audit_switch_mismatch: bool,
    /// Not the vendor's.
    pub rds_id: Option<String>,
    /// Not the vendor's.
    pub rds_obj_info: Option<String>,
    /// Not the vendor's.
    pub dws_obj_info: Option<String>,
    /// Not in use.
    pub clouddb_obj_info: Option<String>,
}

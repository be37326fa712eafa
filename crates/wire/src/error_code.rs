//! The error codes in use, each with its HTTP status and our own wording, and the body shape of
//! each dialect.
//!
//! Clients act on the codes (clients.md, section 5), people read the texts: a text says what is
//! wrong and, where it is not plain, what to do. A more specific text may replace the default.

use serde::{Deserialize, Serialize};

/// An error code of a vendor's document.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ErrorCode {
    /// The code on the wire.
    pub code: &'static str,
    /// The HTTP status it comes with.
    pub status: u16,
    /// What it means, in our own words.
    pub message: &'static str,
}

/// Declares error codes: `NAME = "code", status, "message";`.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $message:literal;)+) => {
        $(
            $(#[$doc])*
            pub const $name: ErrorCode =
                ErrorCode { code: $code, status: $status, message: $message };
        )+

        /// Every code of the dialect.
        pub const ALL: &[ErrorCode] = &[$($name),+];
    };
}

/// The codes of Cloud Backup and Recovery.
pub mod cbr {
    use super::ErrorCode;

    codes! {
        /// A checkpoint of a vault without resources, or of none of them.
        NOTHING_TO_BACK_UP = "BackupService.0001", 400,
            "there is nothing to back up: no resource of the vault can take part";
        /// The target of a restore is smaller than what the backup holds.
        TARGET_TOO_SMALL = "BackupService.2001", 400,
            "the target is smaller than the backup; restore to a larger one";
        /// The backup is still being made.
        BACKUP_RUNNING = "BackupService.2002", 400,
            "the backup is still being made; restore when it is available";
        /// A tenant asked for a restore to another place.
        RESTORE_ELSEWHERE = "BackupService.2003", 400,
            "a restore to another resource is an operator's task";
        /// The backup failed, is incomplete or is going.
        BACKUP_NOT_RESTORABLE = "BackupService.2005", 400,
            "the state of the backup forbids a restore";
        /// The resource is gone.
        TARGET_GONE = "BackupService.2007", 400,
            "the resource that the backup was made of is gone";
        /// One restore at a time.
        RESTORE_RUNNING = "BackupService.2010", 400,
            "a restore of the resource is running already";
        /// The resource is busy or broken.
        TARGET_BUSY = "BackupService.2011", 400,
            "the state of the resource forbids a restore";
        /// No such policy, or another project's.
        POLICY_NOT_FOUND = "BackupService.6000", 404, "there is no such policy";
        /// The project holds the maximum.
        POLICY_QUOTA = "BackupService.6001", 400,
            "the project has as many policies of that type as it may";
        /// The vault follows another policy, or none.
        POLICY_NOT_BOUND = "BackupService.6002", 404, "the policy is not bound to the vault";
        /// Vaults copy by the policy.
        POLICY_REGION_FIXED = "BackupService.6003", 400,
            "vaults copy by the policy: its target stays as it is";
        /// The vault holds the maximum.
        TOO_MANY_RESOURCES = "BackupService.6100", 400,
            "the vault holds as many resources as it may";
        /// The size is out of range, or smaller than what is used.
        BAD_VAULT_SIZE = "BackupService.6101", 400,
            "the size of a vault is 10 to 10485760 GB and not less than what it uses";
        /// A disk in a vault for shares, or the like.
        WRONG_RESOURCE_TYPE = "BackupService.6102", 400,
            "the vault does not take resources of that type";
        /// A resource sits in one vault only.
        RESOURCE_IN_A_VAULT = "BackupService.6103", 400, "the resource is in a vault already";
        /// One request names a resource twice.
        RESOURCE_TWICE = "BackupService.6104", 400, "the request names a resource twice";
        /// No such vault, or another project's.
        VAULT_NOT_FOUND = "BackupService.6105", 404, "there is no such vault";
        /// The vault is not in use.
        VAULT_STATE = "BackupService.6112", 400, "the state of the vault forbids the request";
        /// The vault is not in use.
        VAULT_STATE_FORBIDS_BACKUP = "BackupService.6113", 400,
            "the state of the vault forbids a backup";
        /// The vault is full and does not grow.
        VAULT_FULL = "BackupService.6114", 400,
            "the vault is full; delete backups, or make the vault larger";
        /// A kind of resource that nothing here can protect.
        RESOURCE_TYPE_UNSUPPORTED = "BackupService.6116", 400,
            "resources of that type cannot be protected here";
        /// The backup is damaged, or a copy itself.
        NOT_REPLICABLE = "BackupService.1002", 400, "the backup cannot be copied";
        /// The region is the backup's own, or none that is known.
        REGION_TAKES_NO_COPIES = "BackupService.1005", 400, "the region takes no copies from here";
        /// One copy in each region.
        REPLICATED_ALREADY = "BackupService.1009", 400,
            "the backup is copied there already, or just now";
        /// Another account's project, or none.
        PROJECT_TAKES_NO_COPIES = "BackupService.1011", 400,
            "the target project takes no copies from here";
        /// The target is full and does not grow.
        TARGET_VAULT_FULL = "BackupService.6129", 400,
            "the target vault is full; delete backups there, or make it larger";
        /// Copies are on their way.
        VAULT_REPLICATING = "BackupService.6130", 400,
            "backups are being copied from or into the vault; try again later";
        /// The target takes no copies.
        NO_REPLICATION_TARGET = "BackupService.6119", 400, "the target vault takes no copies";
        /// The target is not there.
        TARGET_VAULT_NOT_FOUND = "BackupService.6120", 400, "there is no such target vault";
        /// A backup of the resource runs.
        BACKUP_OF_RESOURCE_RUNS = "BackupService.6125", 400,
            "a backup of the resource is running already";
        /// A policy for backups at a vault for copies, or the like.
        POLICY_NOT_APPLICABLE = "BackupService.6127", 400,
            "the policy does not go with vaults of that kind";
        /// A vault whose backups are not copied.
        VAULT_NOT_REPLICABLE = "BackupService.6128", 400,
            "vaults of that kind are not copied";
        /// The project holds the maximum.
        VAULT_QUOTA = "BackupService.6133", 400, "the project has as many vaults as it may";
        /// Resources are on their way out.
        REMOVAL_RUNS = "BackupService.6134", 400,
            "resources are being removed from the vault; try again later";
        /// The checkpoint names a resource that is elsewhere.
        RESOURCE_NOT_IN_VAULT = "BackupService.6135", 400, "the resource is not in the vault";
        /// No such backup, or another project's.
        BACKUP_NOT_FOUND = "BackupService.6200", 404, "there is no such backup";
        /// The backup is busy.
        BACKUP_NOT_DELETABLE = "BackupService.6201", 400,
            "the state of the backup forbids its deletion; try again later";
        /// The backup, or its vault, is busy.
        BACKUP_BUSY = "BackupService.6203", 400, "the backup is still being made";
        /// Only what was backed up as a whole has metadata.
        METADATA_STATE = "BackupService.6206", 400,
            "the state of the backup forbids reading its metadata";
        /// The resource is busy or broken.
        RESOURCE_STATE = "BackupService.6215", 400,
            "the state of the resource forbids a backup";
        /// A restore reads from the backup.
        BACKUP_IN_USE = "BackupService.6216", 400, "the backup is in use; try again later";
        /// No such checkpoint, another project's, or one without backups.
        CHECKPOINT_NOT_FOUND = "BackupService.6217", 404, "there is no such restore point";
        /// The vault is locked.
        VAULT_LOCKED = "BackupService.6220", 400,
            "the vault is locked: its automatic backups stay until they expire";
        /// No such resource, or another project's.
        RESOURCE_NOT_FOUND = "BackupService.6302", 404, "there is no such resource";
        /// No such task, or another project's.
        OPERATION_LOG_NOT_FOUND = "BackupService.6500", 404, "there is no such task";
        /// The vault holds the maximum.
        TAG_QUOTA = "BackupService.6600", 400, "the vault has as many tags as it may";
        /// No such tag.
        TAG_NOT_FOUND = "BackupService.6601", 404, "the vault has no tag with that key";
        /// The backup is being made or going.
        NOT_SHAREABLE = "BackupService.6702", 400, "only an available backup can be shared";
        /// Ten projects at most.
        SHARE_QUOTA = "BackupService.6701", 400,
            "the backup is shared with as many projects as it may";
        /// Shared twice.
        SHARED_ALREADY = "BackupService.6703", 400,
            "the backup is shared with that project already";
        /// The owner itself, or a project that is not there.
        BAD_RECEIVER = "BackupService.6704", 400, "nothing can be shared with that project";
        /// No such share, or another project's.
        MEMBER_NOT_FOUND = "BackupService.6705", 404, "there is no such share member";
        /// Neither accepted nor rejected.
        MEMBER_STATUS = "BackupService.6706", 400, "a share can be accepted or rejected";
        /// Accepted into one vault, then into another.
        MEMBER_UPDATE_FAILED = "BackupService.6708", 400,
            "the share is in another vault already; reject it first";
        /// The receiver's vault is not in use.
        VAULT_STATE_FORBIDS_SHARE = "BackupService.6712", 400,
            "the state of the vault forbids taking a share";
        /// A share of a disk into a vault for shares, or the like.
        SHARE_KIND = "BackupService.6713", 400, "the vault does not take backups of that kind";
        /// A disk that is not there.
        DISK_NOT_FOUND = "BackupService.7000", 404, "there is no such disk";
        /// A server that is not there.
        SERVER_NOT_FOUND = "BackupService.7100", 404, "there is no such server";
        /// The caller may not.
        FORBIDDEN = "BackupService.8600", 403, "the caller may not do that";
        /// A parameter is malformed or out of range.
        BAD_PARAMETER = "BackupService.9900", 400, "a parameter of the request is not valid";
        /// Declared, but not built yet. The vendor has no code for this; an unknown error it is,
        /// with the status that says so.
        NOT_AVAILABLE = "BackupService.9910", 501, "the operation is not available yet";
        /// Our own fault.
        INTERNAL = "BackupService.9910", 500,
            "the service failed; the operator finds the reason under the request id";
        /// Who the caller is could not be found out.
        AUTHENTICATION_FAILED = "BackupService.9998", 500,
            "the identity service did not answer";
    }
}

/// The codes of Database Security Service.
///
/// The vendor's list has one code for whatever is not there, and none for what the state of a
/// thing forbids; the general refusal stands in for it.
pub mod dbss {
    use super::ErrorCode;

    codes! {
        /// A parameter is missing or malformed, or the state forbids it.
        BAD_REQUEST = "DBSS.10000001", 400, "the request is not acceptable";
        /// An id that is none.
        BAD_ID = "DBSS.10020021", 400, "an id is malformed";
        /// Its directory cannot be read.
        LOGS_UNREADABLE = "DBSS.10020102", 400, "the audit logs cannot be read";
        /// It cannot be started.
        CANNOT_START = "DBSS.10020130", 400, "the instance cannot be started";
        /// No more of them.
        QUOTA = "DBSS.100210016", 400, "the project holds its maximum of instances";
        /// Nothing there.
        NOT_FOUND = "DBSS.10021004", 404, "there is no such thing";
        /// Our own fault, or not available.
        INTERNAL = "DBSS.11000000", 500,
            "the service failed; the operator finds the reason under the request id";
    }
}

/// The codes of Distributed Database Middleware.
///
/// The vendor's list has no code for an instance or backup that is not there; those of its sister
/// services stand in for the former, the general refusal for the latter.
pub mod ddm {
    use super::ErrorCode;

    codes! {
        /// Not the caller's.
        FORBIDDEN = "DBS.200010", 403, "the caller may not do that with the instance";
        /// No such instance, or another project's.
        INSTANCE_NOT_FOUND = "DBS.200002", 404, "there is no such instance";
        /// Another operation.
        INSTANCE_BUSY = "DBS.200019", 409, "another operation on the instance runs; try again";
        /// Our own fault, or not available.
        INTERNAL = "DBS.200412", 500,
            "the service failed; the operator finds the reason under the request id";
        /// A parameter is missing or malformed.
        BAD_PARAMETER = "DBS.280001", 400, "a parameter is missing or not acceptable";
        /// It cannot be done.
        CANNOT_PROCESS = "DBS.300005", 400, "the request cannot be carried out";
        /// Too few or too many.
        DATA_NODE_COUNT = "DBS.300102", 400, "the number of data nodes does not fit";
        /// Not behind the instance.
        DATA_NODE_NOT_FOUND = "DBS.300103", 400, "the instance has no such data node";
        /// Too few or too many.
        SHARD_COUNT = "DBS.300106", 400, "the schema cannot have that number of shards";
        /// Too long, reserved, or with capitals.
        SCHEMA_NAME = "DBS.300109", 400, "the schema cannot have that name";
        /// Busy, or behind another instance.
        DATA_NODE_STATE = "DBS.300110", 400, "the state of the data node forbids it";
        /// There is one.
        SCHEMA_EXISTS = "DBS.300112", 400, "there is a schema of that name";
        /// The account does not work.
        DATA_NODE_ACCOUNT = "DBS.300114", 400, "the account of the data node does not work";
        /// Perhaps it does not exist.
        SCHEMA_NOT_FOUND = "DBS.300129", 400, "there is no such schema";
        /// Nobody answers.
        UNREACHABLE = "DBS.300356", 400, "a database does not answer";
        /// Not empty, older, or of another kind.
        BAD_TARGET = "DBS.300372", 400, "the target instance does not fit";
        /// Nothing was kept of it.
        BAD_TIME = "DBS.300377", 400, "there is no backup of that time";
        /// No such job.
        JOB_NOT_FOUND = "DBS.300400", 400, "there is no such job";
    }
}

/// The codes of the gateway in front of every service.
pub mod gateway {
    use super::ErrorCode;

    codes! {
        /// No operation has that path and method.
        NO_SUCH_OPERATION = "APIGW.0101", 404, "no operation has that path and method";
        /// The request cannot be read.
        BAD_REQUEST = "APIGW.0201", 400, "the request is malformed";
        /// The body is larger than 12 MB.
        TOO_LARGE = "APIGW.0201", 413, "the request's body is larger than 12 MB";
        /// The address is too long.
        URI_TOO_LONG = "APIGW.0201", 414, "the request's address is too long";
        /// The service took too long.
        TIMED_OUT = "APIGW.0201", 504, "the service took too long to answer";
        /// Token or signature are missing or wrong.
        UNAUTHENTICATED = "APIGW.0301", 401, "the token or signature is missing or not valid";
        /// The caller may not.
        FORBIDDEN = "APIGW.0302", 403, "the caller may not do that";
        /// Too many requests.
        THROTTLED = "APIGW.0308", 429, "too many requests; try again later";
    }
}

/// The codes of identity, as its `/v3.0` paths use them.
pub mod iam {
    use super::ErrorCode;

    codes! {
        /// Who the caller is could not be found out.
        UNAUTHENTICATED = "IAM.0001", 401, "the token or signature is missing or not valid";
        /// The caller may not.
        FORBIDDEN = "IAM.0002", 403, "the caller may not do that";
        /// Roles and policies do not allow the action.
        POLICY_FORBIDS = "IAM.0003", 403, "the caller's roles and policies do not allow that";
        /// No such thing.
        NOT_FOUND = "IAM.0004", 404, "there is no such thing";
        /// There is one already, or there are too many.
        CONFLICT = "IAM.0005", 409, "the request conflicts with what there is";
        /// Our own fault.
        INTERNAL = "IAM.0006", 500,
            "the service failed; the operator finds the reason under the request id";
        /// A parameter is malformed or out of range.
        BAD_PARAMETER = "IAM.0007", 400, "a parameter of the request is not valid";
        /// The body is no JSON, or not the right one.
        BAD_BODY = "IAM.0011", 400, "the request's body is not valid";
        /// Too many requests.
        THROTTLED = "IAM.0012", 429, "too many requests; try again later";
    }
}

/// An error of Cloud Backup and Recovery, of identity's `/v3.0` paths and of our own API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The code; always text, Go programs ignore a number.
    pub error_code: String,
    /// What is wrong.
    pub error_msg: String,
}

/// An error of the gateway, before any service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatewayErrorBody {
    /// The code.
    pub error_code: String,
    /// What is wrong.
    pub error_msg: String,
    /// The request, as in the header `X-Request-Id`.
    pub request_id: String,
}

/// An error of identity's Keystone paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeystoneErrorBody {
    /// The error.
    pub error: KeystoneError,
}

/// What is wrong, as Keystone says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeystoneError {
    /// The HTTP status.
    pub code: u16,
    /// What is wrong.
    pub message: String,
    /// The status in words, see [`keystone_title`].
    pub title: String,
}

impl ErrorCode {
    /// The body with a text of its own, or the code's.
    pub fn body(&self, message: Option<&str>) -> ErrorBody {
        ErrorBody {
            error_code: self.code.to_owned(),
            error_msg: self.text(message),
        }
    }

    /// The gateway's body with a text of its own, or the code's.
    pub fn gateway_body(&self, message: Option<&str>, request_id: &str) -> GatewayErrorBody {
        GatewayErrorBody {
            error_code: self.code.to_owned(),
            error_msg: self.text(message),
            request_id: request_id.to_owned(),
        }
    }

    /// Keystone's body with a text of its own, or the code's.
    pub fn keystone_body(&self, message: Option<&str>) -> KeystoneErrorBody {
        KeystoneErrorBody {
            error: KeystoneError {
                code: self.status,
                message: self.text(message),
                title: keystone_title(self.status).to_owned(),
            },
        }
    }

    fn text(&self, message: Option<&str>) -> String {
        message.unwrap_or(self.message).to_owned()
    }
}

/// The words for a status in Keystone's errors.
pub const fn keystone_title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Request Entity Too Large",
        429 => "Too Many Requests",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_dialect_has_its_own_body() {
        assert_eq!(
            serde_json::to_value(cbr::VAULT_NOT_FOUND.body(None)).unwrap(),
            json!({"error_code": "BackupService.6105", "error_msg": "there is no such vault"})
        );
        let gateway = gateway::UNAUTHENTICATED.gateway_body(Some("token expired"), "r-1");
        assert_eq!(
            serde_json::to_value(gateway).unwrap(),
            json!({"error_code": "APIGW.0301", "error_msg": "token expired", "request_id": "r-1"})
        );
        let keystone = iam::UNAUTHENTICATED.keystone_body(Some("no"));
        assert_eq!(
            serde_json::to_value(keystone).unwrap(),
            json!({"error": {"code": 401, "message": "no", "title": "Unauthorized"}})
        );
    }

    #[test]
    fn texts_are_lower_case_sentences_without_a_dot() {
        for code in [cbr::ALL, dbss::ALL, ddm::ALL, gateway::ALL, iam::ALL].concat() {
            assert!(!code.message.ends_with('.'), "{}", code.code);
            assert!(
                code.message.starts_with(char::is_lowercase),
                "{}",
                code.code
            );
            assert!((400..600).contains(&code.status), "{}", code.code);
        }
    }
}

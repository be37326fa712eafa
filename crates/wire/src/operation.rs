//! What an operation is, and the table that declares operations.
//!
//! One declaration drives the route, the permission check, metrics and audit names, the typed
//! client, the fixtures, docs/api-coverage.md and the table of unauthorised callers
//! (docs/adr/0004-operation-table.md). Every operation of the vendor's documents is declared,
//! also those that do not work yet: those answer in the service's own error shape, and the
//! reason that stands here is what they say.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use crate::{path::PathParameters, query::QueryParameters};

/// One operation of a vendor's document; the type's name is the vendor's operation id.
pub trait Operation: Send + Sync + 'static {
    /// The service whose endpoint and error dialect it has.
    const SERVICE: Service;
    /// The vendor's operation id.
    const NAME: &'static str;
    /// The HTTP method.
    const METHOD: Method;
    /// The path with `{names}` for the variable segments.
    const PATH: &'static str;
    /// What a caller needs permission for, such as `cbr:backups:get`.
    const ACTION: &'static str;
    /// The HTTP status of success.
    const SUCCESS: u16;
    /// Whether it works here.
    const STATUS: Availability;
    /// Whether it is answered without a token or signature.
    const PUBLIC: bool;
    /// Whether the request carries a body: an empty type is an empty body.
    const HAS_BODY: bool = size_of::<Self::Body>() != 0;
    /// Whether the answer carries a body.
    const HAS_REPLY: bool = size_of::<Self::Reply>() != 0;

    /// The variable segments of the path.
    type Path: PathParameters + fmt::Debug + Clone + Send + 'static;
    /// The query.
    type Query: QueryParameters + fmt::Debug + Clone + Send + 'static;
    /// The request's body; [`Empty`] if there is none.
    type Body: Serialize + DeserializeOwned + Send + 'static;
    /// The body of success; [`Empty`] if there is none.
    type Reply: Serialize + DeserializeOwned + Send + 'static;
}

/// A service: an origin of its own and an error dialect of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Service {
    /// Cloud Backup and Recovery.
    Cbr,
    /// Database Security Service.
    Dbss,
    /// Distributed Database Middleware.
    Ddm,
    /// Enterprise Project Service.
    Eps,
    /// Identity and Access Management.
    Iam,
    /// Our own API for operators, on the identity origin.
    Native,
}

impl Service {
    /// Every service, in the order of the documents.
    pub const ALL: &[Self] = &[
        Self::Iam,
        Self::Native,
        Self::Cbr,
        Self::Ddm,
        Self::Dbss,
        Self::Eps,
    ];

    /// The name in permission actions and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cbr => "cbr",
            Self::Dbss => "dbss",
            Self::Ddm => "ddm",
            Self::Eps => "eps",
            Self::Iam => "iam",
            Self::Native => "native",
        }
    }

    /// The key of its origin in `endpoints.json`.
    pub const fn endpoint_key(self) -> &'static str {
        match self {
            Self::Cbr => "cbr",
            Self::Dbss => "dbss",
            Self::Ddm => "ddm",
            Self::Eps => "eps",
            Self::Iam | Self::Native => "identity",
        }
    }

    /// The table of its operations, in the vendor's order.
    pub const fn operations(self) -> &'static [OperationInfo] {
        match self {
            Self::Cbr => crate::cbr::ALL,
            Self::Dbss => crate::dbss::ALL,
            Self::Ddm => crate::ddm::ALL,
            Self::Eps => crate::eps::ALL,
            Self::Iam => crate::iam::ALL,
            Self::Native => crate::native::ALL,
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An HTTP method that some operation uses.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[expect(missing_docs, reason = "the names are HTTP's")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method on the request line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a lost answer may be asked for again without a second effect (RFC 9110, 9.2.2).
    pub const fn is_idempotent(self) -> bool {
        !matches!(self, Self::Post | Self::Patch)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether an operation works here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Availability {
    /// It does what the vendor's document says.
    Working,
    /// It is declared and answers that it is not available.
    NotYet {
        /// What is missing, as a noun phrase.
        reason: &'static str,
    },
    /// It is declared and refuses for good, because a service that runs on its owners' servers
    /// cannot do it honestly.
    Refused {
        /// Why, and what to do instead, as a clause.
        reason: &'static str,
    },
}

/// One row of a service's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OperationInfo {
    /// The service.
    pub service: Service,
    /// The vendor's operation id.
    pub name: &'static str,
    /// What it does, in a few words.
    pub title: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path with `{names}` for the variable segments.
    pub path: &'static str,
    /// What a caller needs permission for.
    pub action: &'static str,
    /// The HTTP status of success.
    pub success: u16,
    /// Whether it works here.
    pub availability: Availability,
    /// Whether it is answered without a token or signature.
    pub public: bool,
    /// Whether the request carries a body.
    pub has_body: bool,
    /// Whether the answer carries a body.
    pub has_reply: bool,
}

impl OperationInfo {
    /// The row of one operation.
    pub const fn of<O: Operation>(title: &'static str) -> Self {
        Self {
            service: O::SERVICE,
            name: O::NAME,
            title: title.trim_ascii(),
            method: O::METHOD,
            path: O::PATH,
            action: O::ACTION,
            success: O::SUCCESS,
            availability: O::STATUS,
            public: O::PUBLIC,
            has_body: O::HAS_BODY,
            has_reply: O::HAS_REPLY,
        }
    }

    /// Whether it works here.
    pub const fn works(&self) -> bool {
        matches!(self.availability, Availability::Working)
    }
}

/// No body: whatever was sent is ignored, and nothing is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Empty;

impl Serialize for Empty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de> Deserialize<'de> for Empty {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(from).map(|_| Self)
    }
}

/// Declares the operations of one service and `ALL`, the same as data.
///
/// An entry is a doc comment (the title), `Name: Method "path", "action", status,` and either
/// `working(Path, Query, Body) -> Reply` or `not_yet("what is missing")` or `refused("why")`;
/// `public` in front of the action marks what is answered without a token.
macro_rules! operations {
    (@public) => { false };
    (@public public) => { true };
    (@status working $path:ty, $query:ty, $body:ty, $reply:ty) => {
        const STATUS: $crate::operation::Availability = $crate::operation::Availability::Working;
        type Path = $path;
        type Query = $query;
        type Body = $body;
        type Reply = $reply;
    };
    (@status not_yet $reason:literal) => {
        const STATUS: $crate::operation::Availability =
            $crate::operation::Availability::NotYet { reason: $reason };
        type Path = $crate::path::AnyPath;
        type Query = $crate::query::NoQuery;
        type Body = serde_json::Value;
        type Reply = serde_json::Value;
    };
    (@status refused $reason:literal) => {
        const STATUS: $crate::operation::Availability =
            $crate::operation::Availability::Refused { reason: $reason };
        type Path = $crate::path::AnyPath;
        type Query = $crate::query::NoQuery;
        type Body = serde_json::Value;
        type Reply = serde_json::Value;
    };
    ($service:ident; $(
        #[doc = $title:literal]
        $name:ident: $method:ident $template:literal,
        $($public:ident)? $action:literal, $success:literal,
        $(not_yet($reason:literal))? $(refused($never:literal))?
        $(working($path:ty, $query:ty, $body:ty) -> $reply:ty)?;
    )+) => {
        $(
            #[doc = $title]
            #[derive(Debug, Clone, Copy)]
            pub enum $name {}

            impl $crate::operation::Operation for $name {
                const SERVICE: $crate::operation::Service = $crate::operation::Service::$service;
                const NAME: &'static str = stringify!($name);
                const METHOD: $crate::operation::Method = $crate::operation::Method::$method;
                const PATH: &'static str = $template;
                const ACTION: &'static str = $action;
                const SUCCESS: u16 = $success;
                const PUBLIC: bool = operations!(@public $($public)?);
                $(operations!(@status working $path, $query, $body, $reply);)?
                $(operations!(@status not_yet $reason);)?
                $(operations!(@status refused $never);)?
            }
        )+

        /// Every operation of the service, in the order of the vendor's document.
        pub const ALL: &[$crate::operation::OperationInfo] =
            &[$($crate::operation::OperationInfo::of::<$name>($title)),+];
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::cbr;

    fn all() -> impl Iterator<Item = &'static OperationInfo> {
        Service::ALL.iter().flat_map(|service| service.operations())
    }

    #[test]
    fn every_operation_of_the_vendors_document_is_declared() {
        assert_eq!(cbr::ALL.len(), 76);
        assert_eq!(crate::dbss::ALL.len(), 48);
        assert_eq!(crate::ddm::ALL.len(), 45);
        assert_eq!(crate::eps::ALL.len(), 17);
    }

    #[test]
    fn names_routes_and_actions_are_well_formed_and_unique() {
        let mut seen = BTreeSet::new();
        for operation in all() {
            let (service, name) = (operation.service, operation.name);
            assert!(
                seen.insert((service, name.to_owned())),
                "{name} is declared twice"
            );
            let route = format!("{} {}", operation.method, operation.path);
            // Two operations of the vendor that differ by their bodies alone.
            let alone = name != "EnableEnterpriseProject";
            assert!(
                seen.insert((service, route)) == alone,
                "{name}'s route is declared twice"
            );
            assert!(operation.path.starts_with('/'), "{name}");
            let action: Vec<_> = operation.action.split(':').collect();
            assert_eq!((action.len(), action[0]), (3, service.as_str()), "{name}");
            assert!(!operation.title.is_empty() && operation.title == operation.title.trim());
        }
    }

    #[test]
    fn only_versions_sign_in_and_signposts_are_public() {
        let public: Vec<_> = all().filter(|row| row.public).map(|row| row.name).collect();
        let expected = [
            "KeystoneListVersions",
            "KeystoneShowVersion",
            "KeystoneCreateUserTokenByPassword",
            "ShowHealth",
            "ShowEndpoints",
            "ListApiVersions",
            "ShowApiVersion",
            "ListApiVersion",
            "ListApiVersions",
            "ShowApiVersion",
        ];
        assert_eq!(public, expected);
    }

    #[test]
    fn bodies_are_told_by_their_types() {
        fn bodies<O: Operation>() -> (bool, bool) {
            (O::HAS_BODY, O::HAS_REPLY)
        }
        assert_eq!(bodies::<cbr::ShowBackup>(), (false, true));
        assert_eq!(bodies::<cbr::CreateVaultTags>(), (true, false));
        assert_eq!(bodies::<cbr::RestoreBackup>(), (true, true));
        assert!(serde_json::from_str::<Empty>(r#"{"a": [1]}"#).is_ok());
    }

    #[test]
    fn templates_and_path_types_agree() {
        fn check<O: Operation>() {
            let names: Vec<_> = crate::path::names(O::PATH).collect();
            assert_eq!(names, O::Path::NAMES, "{}", O::NAME);
        }
        check::<cbr::ShowBackup>();
        check::<cbr::DeleteVaultTag>();
        check::<cbr::ShowProtectable>();
        check::<cbr::ShowCheckpoint>();
        check::<cbr::ShowOpLog>();
        check::<crate::iam::ShowPermanentAccessKey>();
        check::<crate::native::CancelTask>();
        check::<crate::dbss::BatchAddResourceTag>();
        check::<crate::dbss::RestoreAuditBackup>();
        check::<crate::dbss::SetAuditBackupSwitch>();
        check::<crate::dbss::ShowAuditBackRiskTemplate>();
        check::<crate::ddm::ShowBackup>();
        check::<crate::ddm::ShowDatabase>();
        check::<crate::ddm::ShowNode>();
        check::<crate::ddm::UpdateTag>();
    }
}

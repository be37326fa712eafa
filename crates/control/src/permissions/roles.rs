//! The roles that every installation has: what each allows, as patterns over action names.
//!
//! Roles only allow, so having two of them is having what either allows; what must not happen
//! although a role allows it is a custom policy's Deny. An operation that is added later is looked
//! at by readers and done by members without a line here, because its action says by its last
//! word whether it changes anything; a backup operator gets nothing new by itself.

use std::fmt;

use super::pattern::matches;

/// What a user may do in a project.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Role {
    /// Look at everything but the audit trail, change nothing.
    Reader,
    /// Look at everything, the audit trail too, change nothing.
    Auditor,
    /// Look, back up, replicate and restore; delete nothing and change no protection.
    Operator,
    /// Everything a tenant can do.
    Member,
    /// Everything in the domain, and the service. Comes from the user, never from a grant.
    Admin,
}

/// What only looks. Actions are `service:noun:verb`.
const LOOK: &[&str] = &["*:*:get*", "*:*:list*", "*:*:query*", "*:*:show*"];

/// Who looks at what others did is somebody's office.
const TRAIL: &[&str] = &["native:audit:*"];

const OPERATE: &[&str] = &[
    "cbr:backups:replicate",
    "cbr:backups:restore",
    "cbr:vaults:backup",
    "cbr:vaults:replicate",
    "dbss:auditBackup:restore",
    "dbss:auditBackup:retry",
    "ddm:backups:recover",
    "ddm:backups:restore",
    "native:auditInstances:backup",
    "native:auditInstances:verify",
    "native:backups:restore",
    "native:instances:archive",
    "native:instances:backup",
    "native:instances:copy",
    "native:tasks:cancel",
];

impl Role {
    /// Every role, the weakest first.
    pub const ALL: &[Self] = &[
        Self::Reader,
        Self::Auditor,
        Self::Operator,
        Self::Member,
        Self::Admin,
    ];

    /// The word that the catalog stores and tokens show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Auditor => "auditor",
            Self::Operator => "backup_operator",
            Self::Member => "member",
            Self::Admin => "admin",
        }
    }

    /// The role of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.as_str() == word)
    }

    /// What it is for, in a few words.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reader => "read-only: looks at everything but the audit trail",
            Self::Auditor => "auditor: looks at everything, the audit trail too",
            Self::Operator => "backup operator: looks, backs up, replicates and restores",
            Self::Member => "user: everything in the project",
            Self::Admin => "administrator: everything in every project, and the service itself",
        }
    }

    /// Whether it allows the action.
    pub(crate) fn allows(self, action: &str) -> bool {
        let any = |patterns: &[&str]| patterns.iter().any(|pattern| matches(pattern, action));
        match self {
            Self::Reader => any(LOOK) && !any(TRAIL),
            Self::Auditor => any(LOOK),
            Self::Operator => Self::Reader.allows(action) || any(OPERATE),
            Self::Member | Self::Admin => true,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

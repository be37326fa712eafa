//! Custom policies in the vendors' JSON: read strictly, refused with the reason, then evaluated.
//!
//! A policy that is not understood wholly is refused when it is given, never read as something
//! weaker: an unknown key, a condition, an action without its three parts. A resource is
//! `service:*:account:type:id`, as the vendors write them; the region can only be `*`, because an
//! installation has one.
//!
//! Invariant: where it cannot be known whether a statement about single resources concerns a
//! request (the request names them in its body, or none at all), an Allow does not and a Deny
//! does. Doubt never opens.

use serde::Deserialize;

use super::pattern::matches;
use crate::{Error, Result};

/// Statements in a policy, actions and resources in a statement: the vendors' limits.
const STATEMENTS_MAX: usize = 8;
const ENTRIES_MAX: usize = 100;
const BYTES_MAX: usize = 16 << 10;

/// A custom policy, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    statements: Vec<Statement>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Statement {
    effect: Effect,
    actions: Vec<String>,
    /// Empty is every resource.
    resources: Vec<ResourcePattern>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct ResourcePattern {
    service: String,
    account: String,
    kind: String,
    id: String,
}

/// What is asked: may this be done to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask<'a> {
    /// The action, such as `cbr:vaults:delete`.
    pub action: &'a str,
    /// The account of the project.
    pub account: &'a str,
    /// What it is done to, if the request's address names it: type and id.
    pub target: Option<(&'a str, &'a str)>,
}

/// What a policy says to an [`Ask`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Allowed,
    Denied,
    Silent,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "Version")]
    version: String,
    #[serde(rename = "Statement")]
    statements: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "Sid", default)]
    _sid: Option<String>,
    #[serde(rename = "Effect")]
    effect: Effect,
    #[serde(rename = "Action")]
    actions: OneOrMore,
    #[serde(rename = "Resource", default)]
    resources: Option<OneOrMore>,
    #[serde(rename = "Condition", default)]
    condition: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::More(more) => more,
        }
    }
}

impl Policy {
    /// Reads the vendors' JSON; says what in it is not understood.
    pub fn parse(name: &str, document: &str) -> Result<Self> {
        if document.len() > BYTES_MAX {
            return Err(bad(format!("is larger than {BYTES_MAX} bytes")));
        }
        let document: Document =
            serde_json::from_str(document).map_err(|error| bad(error.to_string()))?;
        if !["1.1", "5.0"].contains(&document.version.as_str()) {
            let version = document.version;
            return Err(bad(format!("Version {version:?} is not known; say 1.1")));
        }
        if !(1..=STATEMENTS_MAX).contains(&document.statements.len()) {
            return Err(bad(format!("must have 1 to {STATEMENTS_MAX} statements")));
        }
        let statements = document.statements.into_iter().map(statement);
        Ok(Self {
            name: name.to_owned(),
            statements: statements.collect::<Result<_>>()?,
        })
    }

    /// The action patterns in it, for who knows which actions there are.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.statements
            .iter()
            .flat_map(|statement| &statement.actions)
            .map(String::as_str)
    }

    /// Whether one of its action patterns is about an action.
    pub fn concerns(&self, pattern: &str, action: &str) -> bool {
        self.actions().any(|own| own == pattern) && matches(pattern, action)
    }

    /// Whether it allows anything at all.
    pub(crate) fn allows_something(&self) -> bool {
        let allow = |statement: &Statement| statement.effect == Effect::Allow;
        self.statements.iter().any(allow)
    }

    /// What it says; of two statements that contradict each other the Deny holds.
    pub(crate) fn verdict(&self, ask: &Ask<'_>) -> Verdict {
        let mut verdict = Verdict::Silent;
        for statement in &self.statements {
            let concerns = |pattern: &String| matches(pattern, ask.action);
            if !statement.actions.iter().any(concerns) {
                continue;
            }
            match (statement.effect, statement.concerns(ask)) {
                (Effect::Deny, Some(true) | None) => return Verdict::Denied,
                (Effect::Allow, Some(true)) => verdict = Verdict::Allowed,
                (Effect::Deny, Some(false)) | (Effect::Allow, Some(false) | None) => {}
            }
        }
        verdict
    }
}

impl Statement {
    /// Whether it is about what the request is about; `None` if that cannot be known.
    fn concerns(&self, ask: &Ask<'_>) -> Option<bool> {
        if self.resources.is_empty() {
            return Some(true);
        }
        let service = ask.action.split(':').next().unwrap_or_default();
        let possible: Vec<_> = self
            .resources
            .iter()
            .filter(|one| matches(&one.service, service) && matches(&one.account, ask.account))
            .collect();
        let everything = |one: &&&ResourcePattern| one.kind == "*" && one.id == "*";
        if possible.is_empty() {
            return Some(false);
        }
        if possible.iter().any(|one| everything(&one)) {
            return Some(true);
        }
        let (kind, id) = ask.target?;
        let fits = |one: &ResourcePattern| matches(&one.kind, kind) && matches(&one.id, id);
        if possible.iter().any(|one| fits(one)) {
            return Some(true);
        }
        // A vault is meant also where a backup or a task in it is named: nobody knows here.
        let same_kind = possible.iter().any(|one| matches(&one.kind, kind));
        same_kind.then_some(false)
    }
}

fn statement(written: Written) -> Result<Statement> {
    if written.condition.is_some() {
        return Err(bad(
            "Condition is not supported: nobody here could tell whether it holds; leave it out"
                .to_owned(),
        ));
    }
    let actions = written.actions.list();
    if !(1..=ENTRIES_MAX).contains(&actions.len()) {
        return Err(bad(format!("Action must have 1 to {ENTRIES_MAX} entries")));
    }
    for action in &actions {
        check_action(action)?;
    }
    let resources = match written.resources.map(OneOrMore::list) {
        None => Vec::new(),
        Some(list) if list.is_empty() || list.len() > ENTRIES_MAX => {
            return Err(bad(format!(
                "Resource must have 1 to {ENTRIES_MAX} entries, or be left out"
            )));
        }
        Some(list) if list.iter().any(|one| one == "*") => Vec::new(),
        Some(list) => list
            .iter()
            .map(|one| resource(one))
            .collect::<Result<_>>()?,
    };
    Ok(Statement {
        effect: written.effect,
        actions,
        resources,
    })
}

fn check_action(action: &str) -> Result<()> {
    let letters = |part: &str| {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || letter == '*';
        !part.is_empty() && part.chars().all(letter)
    };
    let parts: Vec<_> = action.split(':').collect();
    if action == "*" || (parts.len() == 3 && parts.iter().all(|part| letters(part))) {
        return Ok(());
    }
    Err(bad(format!(
        "action {action:?} must be service:noun:verb, where * stands for any text"
    )))
}

fn resource(text: &str) -> Result<ResourcePattern> {
    let parts: Vec<_> = text.splitn(5, ':').collect();
    let [service, region, account, kind, id] = parts[..] else {
        return Err(bad(format!(
            "resource {text:?} must be * or service:*:account:type:id"
        )));
    };
    if region != "*" {
        return Err(bad(format!(
            "resource {text:?} names a region; write *, an installation has one"
        )));
    }
    if [service, account, kind, id].contains(&"") {
        return Err(bad(format!("resource {text:?} has an empty part; write *")));
    }
    Ok(ResourcePattern {
        service: service.to_ascii_lowercase(),
        account: account.to_owned(),
        kind: kind.to_owned(),
        id: id.to_owned(),
    })
}

fn bad(problem: String) -> Error {
    Error::invalid("policy", problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> Policy {
        let text = format!(r#"{{"Version": "1.1", "Statement": [{statements}]}}"#);
        Policy::parse("p", &text).unwrap()
    }

    fn refused(document: &str) -> String {
        Policy::parse("p", document).unwrap_err().to_string()
    }

    const VAULT: Ask<'_> = Ask {
        action: "cbr:vaults:delete",
        account: "acc",
        target: Some(("vault", "v-1")),
    };

    #[test]
    fn deny_wins_whatever_the_order() {
        let allow = r#"{"Effect": "Allow", "Action": ["cbr:*:*"]}"#;
        let deny = r#"{"Effect": "Deny", "Action": "cbr:vaults:delete", "Resource": ["*"]}"#;
        let create = Ask {
            action: "cbr:vaults:create",
            target: None,
            ..VAULT
        };
        for both in [format!("{allow},{deny}"), format!("{deny},{allow}")] {
            assert_eq!(policy(&both).verdict(&VAULT), Verdict::Denied);
            assert_eq!(policy(&both).verdict(&create), Verdict::Allowed);
        }
        let other = Ask {
            action: "iam:tokens:delete",
            ..VAULT
        };
        assert_eq!(policy(allow).verdict(&other), Verdict::Silent);
    }

    #[test]
    fn doubt_about_the_resource_allows_nothing_and_denies() {
        let one = |effect: &str, resource: &str| {
            policy(&format!(
                r#"{{"Effect": "{effect}", "Action": ["cbr:*:*"], "Resource": ["{resource}"]}}"#
            ))
        };
        let at = |target| Ask { target, ..VAULT };
        for (resource, target, allow, deny) in [
            ("cbr:*:*:vault:v-1", Some(("vault", "v-1")), true, true),
            ("CBR:*:acc:vault:v-*", Some(("vault", "v-1")), true, true),
            ("cbr:*:*:vault:v-1", Some(("vault", "v-2")), false, false),
            ("cbr:*:else:vault:v-1", Some(("vault", "v-1")), false, false),
            ("cbr:*:*:vault:v-1", Some(("backup", "b-1")), false, true),
            ("cbr:*:*:vault:v-1", None, false, true),
            ("cbr:*:*:*:*", None, true, true),
            ("*", None, true, true),
        ] {
            let verdict = |effect| one(effect, resource).verdict(&at(target));
            assert_eq!(
                verdict("Allow") == Verdict::Allowed,
                allow,
                "{resource} {target:?}"
            );
            assert_eq!(
                verdict("Deny") == Verdict::Denied,
                deny,
                "{resource} {target:?}"
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_named() {
        for (document, says) in [
            ("[]", "invalid length"),
            (r#"{"Version": "1.0", "Statement": []}"#, "Version"),
            (
                r#"{"Version": "1.1", "Statement": []}"#,
                "1 to 8 statements",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Maybe", "Action": ["*"]}]}"#,
                "Maybe",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Allow",
                    "Action": ["cbr:vaults"]}]}"#,
                "service:noun:verb",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": []}]}"#,
                "1 to 100",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["*"],
                    "Condition": {"Bool": {"g:MFAPresent": ["true"]}}}]}"#,
                "Condition is not supported",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Deny", "NotAction": ["*"]}]}"#,
                "NotAction",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["*"],
                    "Resource": ["cbr:eu-de:*:vault:*"]}]}"#,
                "names a region",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["*"],
                    "Resource": ["vault"]}]}"#,
                "service:*:account:type:id",
            ),
            (
                r#"{"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["*"],
                    "Resource": []}]}"#,
                "Resource must have",
            ),
        ] {
            let text = refused(document);
            assert!(text.contains(says), "{text}");
        }
        assert!(refused(&" ".repeat(BYTES_MAX + 1)).contains("larger"));
    }
}

//! Stories of people who are given and denied things by policies.

use std::sync::Arc;

use strongroom_catalog::Catalog;
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};
use zeroize::Zeroizing;

use super::*;
use crate::{
    MasterKey,
    identity::{
        FirstStart, NewUser, Project, ProjectFilter, ProjectName, Proof, ScopeWish, Session,
        SignIn, User, UserName,
    },
};

struct House {
    identity: Identity,
    first: FirstStart,
    ann: User,
    project: Project,
}

fn house() -> House {
    let entropy = Arc::new(SeededEntropy::new(1));
    let master = MasterKey::generate(entropy.as_ref());
    let clock = Arc::new(ManualClock::default());
    let identity = Identity::new(Catalog::memory().unwrap(), clock, entropy, master).unwrap();
    let first = identity.first_start("eu-de").unwrap().unwrap();
    let new = NewUser {
        name: "ann".to_owned(),
        password: Some(Zeroizing::new("password".to_owned())),
        is_admin: false,
    };
    let ann = identity.create_user(first.domain.id, &new).unwrap();
    let project = identity.create_project(first.domain.id, "p").unwrap();
    House {
        identity,
        first,
        ann,
        project,
    }
}

impl House {
    fn policy(&self, name: &str, statements: &str) {
        let text = format!(r#"{{"Version": "1.1", "Statement": [{statements}]}}"#);
        let domain = self.first.domain.id;
        self.identity.put_policy(domain, name, &text).unwrap();
    }

    fn enter(&self, scope: ScopeWish) -> Result<Session> {
        let proof = Proof::Password(
            UserName::Name("ann".to_owned(), None),
            Zeroizing::new("password".to_owned()),
        );
        let source = "192.0.2.1".to_owned();
        let attempt = SignIn {
            proof,
            scope,
            source,
        };
        Ok(self.identity.sign_in(&attempt)?.session)
    }

    fn enter_project(&self) -> Result<Session> {
        let id = self.project.id.to_string();
        self.enter(ScopeWish::Project(ProjectName::Id(id)))
    }
}

const VAULTS: &str = r#"{"Effect": "Allow", "Action": ["cbr:vaults:*"]}"#;

#[test]
fn a_policy_alone_opens_a_project_and_what_it_says_and_closes_again() {
    let house = house();
    house.policy("vaults", VAULTS);
    assert!(house.enter_project().is_err());
    let (ann, project) = (house.ann.id, house.project.id);
    house
        .identity
        .grant_policy(ann, Some(project), "vaults")
        .unwrap();
    let session = house.enter_project().unwrap();
    assert!(session.permits("cbr:vaults:delete", None));
    assert!(!session.permits("cbr:backups:get", None));
    let own = house
        .identity
        .list_projects(&session, &ProjectFilter::default());
    assert_eq!(own.unwrap(), std::slice::from_ref(&house.project));
    house
        .identity
        .revoke_policy(ann, Some(project), "vaults")
        .unwrap();
    assert!(house.enter_project().is_err());
    assert!(
        house
            .identity
            .revoke_policy(ann, Some(project), "vaults")
            .is_err()
    );
}

#[test]
fn a_deny_wins_over_every_role_and_everywhere_is_everywhere() {
    let house = house();
    let (ann, project) = (house.ann.id, house.project.id);
    house.policy(
        "careful",
        r#"{"Effect": "Deny", "Action": ["*:*:delete", "iam:credentials:*"]}"#,
    );
    house.identity.grant_policy(ann, None, "careful").unwrap();
    // Denying is no way in, and shows no project.
    assert!(house.enter_project().is_err());
    let nowhere = house.enter(ScopeWish::Unscoped).unwrap();
    let own = house
        .identity
        .list_projects(&nowhere, &ProjectFilter::default());
    assert_eq!(own.unwrap(), []);
    assert!(nowhere.permits("iam:tokens:get", None));
    assert!(!nowhere.permits("iam:credentials:create", None));
    house.identity.grant(ann, project, Role::Member).unwrap();
    house.identity.make_operator(ann, true).unwrap();
    let session = house.enter_project().unwrap();
    assert_eq!(session.roles, [Role::Member, Role::Admin]);
    assert!(session.permits("cbr:vaults:create", None));
    assert!(!session.permits("cbr:vaults:delete", None));
}

#[test]
fn a_new_document_works_at_once_and_a_policy_in_use_stays() {
    let house = house();
    let (ann, project, domain) = (house.ann.id, house.project.id, house.first.domain.id);
    house.policy("vaults", VAULTS);
    house
        .identity
        .grant_policy(ann, Some(project), "vaults")
        .unwrap();
    // Twice is once.
    house
        .identity
        .grant_policy(ann, Some(project), "vaults")
        .unwrap();
    house.policy(
        "vaults",
        r#"{"Effect": "Allow", "Action": ["cbr:backups:get"]}"#,
    );
    let session = house.enter_project().unwrap();
    assert!(session.permits("cbr:backups:get", None));
    assert!(!session.permits("cbr:vaults:delete", None));
    let in_use = house.identity.remove_policy(domain, "vaults").unwrap_err();
    assert_eq!(in_use.reason(), Reason::StillInUse);
    let all = house.identity.policies(domain).unwrap();
    assert_eq!(all[0].holders, [(ann, Some(project))]);
    house
        .identity
        .revoke_policy(ann, Some(project), "vaults")
        .unwrap();
    house.identity.remove_policy(domain, "vaults").unwrap();
    let gone = house.identity.remove_policy(domain, "vaults").unwrap_err();
    assert_eq!(gone.reason(), Reason::NoSuchPolicy);
    let unknown = house
        .identity
        .grant_policy(ann, None, "vaults")
        .unwrap_err();
    assert_eq!(unknown.reason(), Reason::NoSuchPolicy);
}

#[test]
fn names_of_roles_are_no_names_of_policies_and_the_last_administrator_stays() {
    let house = house();
    let taken = house
        .identity
        .put_policy(house.first.domain.id, "member", "{}");
    assert!(taken.unwrap_err().to_string().contains("name of a role"));
    let admin = house.first.user.id;
    let last = house.identity.make_operator(admin, false).unwrap_err();
    assert_eq!(last.reason(), Reason::StillInUse);
    house.identity.make_operator(house.ann.id, true).unwrap();
    house.identity.make_operator(admin, false).unwrap();
}

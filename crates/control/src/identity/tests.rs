//! Stories of people who come in, are sent away, and are shut out again.

use std::sync::Arc;

use strongroom_catalog::Catalog;
use strongroom_model::{AccessKeyId, UserId};
use strongroom_testkit::{clock::ManualClock, entropy::SeededEntropy};
use zeroize::Zeroizing;

use super::*;
use crate::{Error, Reason};

struct House {
    identity: Identity,
    clock: Arc<ManualClock>,
    first: FirstStart,
}

fn house() -> House {
    let clock = Arc::new(ManualClock::default());
    let entropy = Arc::new(SeededEntropy::new(1));
    let master = MasterKey::generate(entropy.as_ref());
    let catalog = Catalog::memory().unwrap();
    let identity = Identity::new(catalog, clock.clone(), entropy, master).unwrap();
    let first = identity.first_start("eu-de").unwrap().unwrap();
    House {
        identity,
        clock,
        first,
    }
}

impl House {
    fn user(&self, name: &str) -> User {
        let password = Some(Zeroizing::new(format!("password of {name}")));
        let new = NewUser {
            name: name.to_owned(),
            password,
            is_admin: false,
        };
        self.identity
            .create_user(self.first.domain.id, &new)
            .unwrap()
    }

    fn member(&self, name: &str) -> (User, Project) {
        let user = self.user(name);
        let project = format!("project-of-{name}");
        let project = self
            .identity
            .create_project(self.first.domain.id, &project)
            .unwrap();
        self.identity
            .grant(user.id, project.id, Role::Member)
            .unwrap();
        (user, project)
    }

    fn enter(&self, user: &str, password: &str, scope: ScopeWish) -> Result<Issued> {
        let user = UserName::Name(user.to_owned(), Some(Named::Name("strongroom".to_owned())));
        let proof = Proof::Password(user, Zeroizing::new(password.to_owned()));
        self.identity.sign_in(&SignIn {
            proof,
            scope,
            source: "192.0.2.1".to_owned(),
        })
    }

    fn enter_project(&self, user: &User, project: &Project) -> Issued {
        let password = format!("password of {}", user.name);
        let scope = ScopeWish::Project(ProjectName::Id(project.id.to_string()));
        self.enter(&user.name, &password, scope).unwrap()
    }

    fn admin(&self) -> Session {
        self.enter(
            "admin",
            &self.first.password,
            ScopeWish::Domain(Named::Id(self.first.domain.id.to_string())),
        )
        .unwrap()
        .session
    }
}

fn reason<T: std::fmt::Debug>(result: Result<T>) -> Reason {
    result.unwrap_err().reason()
}

#[test]
fn the_first_start_happens_once_and_for_one_region() {
    let house = house();
    assert!(house.identity.first_start("eu-de").unwrap().is_none());
    assert_eq!(
        reason(house.identity.first_start("eu-nl")),
        Reason::InvalidParameter
    );
    assert_eq!(house.first.project.name, "eu-de");
    let scope = ScopeWish::Project(ProjectName::Name("eu-de".to_owned(), None));
    let issued = house.enter("admin", &house.first.password, scope).unwrap();
    assert_eq!(issued.session.project(), Some(&house.first.project));
    assert_eq!(issued.session.roles, [Role::Member, Role::Admin]);
    let again = house.identity.session(&issued.token).unwrap();
    assert_eq!(*again, issued.session);
}

#[test]
fn whatever_is_wrong_with_a_sign_in_the_refusal_is_the_same() {
    let house = house();
    let (user, project) = house.member("ann");
    let (_, foreign) = house.member("bob");
    let own = ScopeWish::Project(ProjectName::Id(project.id.to_string()));
    let by_name = |name: &str, domain: Option<Named>| {
        ScopeWish::Project(ProjectName::Name(name.to_owned(), domain))
    };
    let good = "password of ann";
    let mut texts = std::collections::BTreeSet::new();
    for (name, password, scope) in [
        ("ann", "wrong", own.clone()),
        ("nobody", good, own.clone()),
        (
            "ann",
            good,
            ScopeWish::Project(ProjectName::Id(foreign.id.to_string())),
        ),
        (
            "ann",
            good,
            ScopeWish::Project(ProjectName::Id("nonsense".to_owned())),
        ),
        ("ann", good, by_name("nowhere", None)),
        (
            "ann",
            good,
            by_name(&project.name, Some(Named::Name("elsewhere".to_owned()))),
        ),
        (
            "ann",
            good,
            ScopeWish::Domain(Named::Name("elsewhere".to_owned())),
        ),
    ] {
        let error = house.enter(name, password, scope).unwrap_err();
        assert_eq!(error.reason(), Reason::Unauthenticated);
        texts.insert(error.to_string());
    }
    house.enter("ann", good, own.clone()).unwrap();
    house.identity.enable_user(user.id, false).unwrap();
    texts.insert(house.enter("ann", good, own).unwrap_err().to_string());
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[test]
fn a_token_ends_after_a_day_or_when_it_is_revoked() {
    let house = house();
    let (user, project) = house.member("ann");
    let (one, other) = (
        house.enter_project(&user, &project),
        house.enter_project(&user, &project),
    );
    house.identity.revoke(&one.session, &one.token).unwrap();
    assert_eq!(
        reason(house.identity.session(&one.token)),
        Reason::Unauthenticated
    );
    assert_eq!(
        reason(house.identity.inspect(&other.session, &one.token)),
        Reason::NoSuchToken
    );
    house.clock.advance_seconds(24 * 3600 - 1);
    house.identity.session(&other.token).unwrap();
    house.clock.advance_seconds(1);
    assert_eq!(
        reason(house.identity.session(&other.token)),
        Reason::Unauthenticated
    );
    for never in ["", "srt1_x", &other.token[1..], "MIIE"] {
        assert_eq!(
            reason(house.identity.session(never)),
            Reason::Unauthenticated
        );
    }
}

#[test]
fn what_is_taken_away_is_gone_for_tokens_handed_out_before() {
    type Take = fn(&House, &User, &Project);
    let ways: [(&str, Take, bool); 5] = [
        (
            "the password",
            |house, user, _| {
                let new = Zeroizing::new("another password".to_owned());
                house.identity.set_password(user.id, Some(&new)).unwrap();
            },
            false,
        ),
        (
            "the user",
            |house, user, _| {
                house.identity.enable_user(user.id, false).unwrap();
                house.identity.enable_user(user.id, true).unwrap();
            },
            false,
        ),
        (
            "the role",
            |house, user, project| {
                house
                    .identity
                    .revoke_grant(user.id, project.id, Role::Member)
                    .unwrap();
            },
            false,
        ),
        (
            "the project",
            |house, _, project| {
                house.identity.enable_project(project.id, false).unwrap();
            },
            false,
        ),
        ("nothing", |_, _, _| {}, true),
    ];
    let house = house();
    for (n, (what, take, good)) in ways.into_iter().enumerate() {
        let (user, project) = house.member(&format!("user{n}"));
        let issued = house.enter_project(&user, &project);
        take(&house, &user, &project);
        assert_eq!(
            house.identity.session(&issued.token).is_ok(),
            good,
            "{what}"
        );
    }
}

#[test]
fn a_token_got_by_a_token_enters_another_project_but_lives_no_longer() {
    let house = house();
    let (user, project) = house.member("ann");
    house.clock.advance_seconds(1);
    let second = house
        .identity
        .create_project(house.first.domain.id, "second")
        .unwrap();
    house
        .identity
        .grant(user.id, second.id, Role::Reader)
        .unwrap();
    let unscoped = house
        .enter("ann", "password of ann", ScopeWish::Unscoped)
        .unwrap();
    assert_eq!(unscoped.session.roles, []);
    assert_eq!(
        house
            .identity
            .enterable_projects(&unscoped.session)
            .unwrap(),
        [project, second.clone()]
    );
    house.clock.advance_seconds(1000);
    let attempt = SignIn {
        proof: Proof::Token(unscoped.token.clone()),
        scope: ScopeWish::Project(ProjectName::Name("second".to_owned(), None)),
        source: String::new(),
    };
    let scoped = house.identity.sign_in(&attempt).unwrap();
    assert_eq!(scoped.session.project(), Some(&second));
    assert_eq!(scoped.session.methods, ["token", "password"]);
    assert_eq!(scoped.session.expires_at, unscoped.session.expires_at);
    assert!(
        scoped.session.permits("cbr:vaults:list", None)
            && scoped.session.permits("cbr:tasks:get", None)
    );
    assert!(!scoped.session.permits("cbr:vaults:delete", None));
    house
        .identity
        .revoke(&unscoped.session, &unscoped.token)
        .unwrap();
    assert_eq!(
        reason(house.identity.sign_in(&attempt)),
        Reason::Unauthenticated
    );
}

#[test]
fn guessing_a_password_gets_slow_for_the_one_who_guesses() {
    let house = house();
    for _ in 0..5 {
        let wrong = house.enter("admin", "wrong password", ScopeWish::Unscoped);
        assert_eq!(reason(wrong), Reason::Unauthenticated);
    }
    let right = |house: &House| {
        house
            .enter("admin", &house.first.password, ScopeWish::Unscoped)
            .map(|issued| issued.session)
    };
    assert_eq!(reason(right(&house)), Reason::TooManyAttempts);
    house.clock.advance_seconds(1);
    right(&house).unwrap();
}

#[test]
fn a_user_has_two_access_keys_and_only_active_ones_sign() {
    let house = house();
    let (user, project) = house.member("ann");
    let session = house.enter_project(&user, &project).session;
    let one = house
        .identity
        .create_key_for(&session, user.id, "one")
        .unwrap();
    let two = house
        .identity
        .create_key_for(&session, user.id, "two")
        .unwrap();
    let third = house.identity.create_key_for(&session, user.id, "three");
    assert!(matches!(third, Err(Error::QuotaExceeded { .. })));

    let signing = house.identity.signing_key(&one.key.access).unwrap();
    assert_eq!(*signing.secret, *one.secret);
    let wish = ScopeWish::Project(ProjectName::Id(project.id.to_string()));
    assert_eq!(
        house
            .identity
            .session_of_key(&signing, &wish)
            .unwrap()
            .project(),
        Some(&project)
    );
    let foreign = ScopeWish::Project(ProjectName::Id(house.first.project.id.to_string()));
    assert_eq!(
        reason(house.identity.session_of_key(&signing, &foreign)),
        Reason::Forbidden
    );
    let listed = house.identity.list_keys(&session, user.id).unwrap();
    assert_eq!(listed[0].last_used_at, Some(house.clock.now()));

    let off = Some(KeyStatus::Inactive);
    house
        .identity
        .update_key(&session, &one.key.access, off, None)
        .unwrap();
    assert_eq!(
        reason(house.identity.signing_key(&one.key.access)),
        Reason::Unauthenticated
    );
    house
        .identity
        .delete_key(&session, &two.key.access)
        .unwrap();
    assert_eq!(
        reason(house.identity.signing_key(&two.key.access)),
        Reason::Unauthenticated
    );
    let unknown = AccessKeyId("A".repeat(20));
    assert_eq!(
        reason(house.identity.signing_key(&unknown)),
        Reason::Unauthenticated
    );
    house.identity.enable_user(user.id, false).unwrap();
    assert_eq!(
        reason(house.identity.session_of_key(&signing, &wish)),
        Reason::Unauthenticated
    );
}

#[test]
fn what_is_anothers_is_not_found_unless_an_operator_asks() {
    let house = house();
    let (ann, project) = house.member("ann");
    let (bob, bobs) = house.member("bob");
    let key = house.identity.create_key(bob.id, "bob's").unwrap().key;
    let session = house.enter_project(&ann, &project).session;
    let admin = house.admin();
    assert_eq!(
        reason(house.identity.show_key(&session, &key.access)),
        Reason::NoSuchAccessKey
    );
    assert_eq!(
        reason(house.identity.delete_key(&session, &key.access)),
        Reason::NoSuchAccessKey
    );
    assert_eq!(
        reason(house.identity.list_keys(&session, bob.id)),
        Reason::Forbidden
    );
    assert_eq!(
        reason(house.identity.show_project(&session, bobs.id)),
        Reason::NoSuchProject
    );
    assert_eq!(
        reason(house.identity.projects_of_user(&session, bob.id)),
        Reason::Forbidden
    );
    let tokens = house.enter_project(&bob, &bobs);
    assert_eq!(
        reason(house.identity.inspect(&session, &tokens.token)),
        Reason::NoSuchToken
    );
    assert_eq!(
        reason(house.identity.revoke(&session, &tokens.token)),
        Reason::NoSuchToken
    );

    assert_eq!(house.identity.show_key(&admin, &key.access).unwrap(), key);
    assert_eq!(
        house.identity.projects_of_user(&admin, bob.id).unwrap(),
        std::slice::from_ref(&bobs)
    );
    assert_eq!(
        house.identity.inspect(&admin, &tokens.token).unwrap(),
        tokens.session
    );
    let nobody = UserId::new(house.identity.0.entropy.as_ref());
    assert_eq!(
        reason(house.identity.list_keys(&admin, nobody)),
        Reason::NoSuchUser
    );
    let exactly = ProjectFilter {
        name: Some(bobs.name.clone()),
        ..ProjectFilter::default()
    };
    assert_eq!(
        house.identity.list_projects(&session, &exactly).unwrap(),
        []
    );
    assert_eq!(
        house.identity.list_projects(&admin, &exactly).unwrap(),
        [bobs]
    );
    let part = ProjectFilter {
        name: Some("project-of".to_owned()),
        ..ProjectFilter::default()
    };
    assert_eq!(house.identity.list_projects(&admin, &part).unwrap(), []);
}

#[test]
fn what_the_first_start_told_can_be_renewed_and_the_old_ends() {
    let house = house();
    let old = house
        .enter("admin", &house.first.password, ScopeWish::Unscoped)
        .unwrap();
    house.clock.advance_seconds(1);
    let renewed = house.identity.renew_first_user().unwrap();
    assert_eq!(
        (&renewed.user, &renewed.project),
        (&house.first.user, &house.first.project)
    );
    assert_eq!(
        reason(house.identity.session(&old.token)),
        Reason::Unauthenticated
    );
    let old_key = house.identity.signing_key(&house.first.key.key.access);
    assert_eq!(reason(old_key), Reason::Unauthenticated);
    house
        .enter("admin", &renewed.password, ScopeWish::Unscoped)
        .unwrap();
    house.identity.signing_key(&renewed.key.key.access).unwrap();
    for _ in 0..3 {
        house.identity.renew_first_user().unwrap();
    }
}

#[test]
fn names_are_unique_in_a_domain_and_admin_is_no_grant() {
    let house = house();
    let (user, project) = house.member("ann");
    let domain = house.first.domain.id;
    assert_eq!(
        reason(house.identity.create_project(domain, &project.name)),
        Reason::AlreadyExists
    );
    let again = NewUser {
        name: "ann".to_owned(),
        password: None,
        is_admin: false,
    };
    assert_eq!(
        reason(house.identity.create_user(domain, &again)),
        Reason::AlreadyExists
    );
    for bad in ["", "a b", "x/y", &"a".repeat(65)] {
        assert_eq!(
            reason(house.identity.create_project(domain, bad)),
            Reason::InvalidParameter
        );
    }
    let admin = house.identity.grant(user.id, project.id, Role::Admin);
    assert_eq!(reason(admin), Reason::InvalidParameter);
}

//! What was proven before and still holds: sessions of tokens and of signatures, by their proof.
//!
//! Making a session reads a token, a user, an account, a project, roles and policies. What comes of
//! it is kept with the catalog's identity version as of that very look, and used only for a caller
//! who finds the same version now. The database changes the version in the statement that takes
//! something away, whichever process runs it; so a session that is used from here is the one that
//! would be made (docs/adr/0027-sessions.md).
//!
//! Invariants: a proof finds what was made for that proof and nothing else; nothing is kept that a
//! clock ends without asking the clock; no more than [`WEIGHT_MAX`] is kept, twice.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use strongroom_model::{AccessKeyId, Timestamp};

use super::{ScopeWish, Session, access_keys::SigningKey};

/// How much the younger half keeps: a session weighs one, and each of its policies another.
const WEIGHT_MAX: usize = 4096;

/// What a session was proven by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Proof {
    /// A token, by its hash.
    Token([u8; 32]),
    /// A signature with that key, for that scope.
    Signature(AccessKeyId, ScopeWish),
}

/// The session that a signature proved.
#[derive(Clone)]
pub(super) struct Signed {
    /// Its times are those of the request for which it was made.
    pub(super) session: Arc<Session>,
    /// When the use of the key was last noted.
    pub(super) noted_at: Timestamp,
}

/// What was proven before. Empty at every start.
#[derive(Default)]
pub(super) struct Proven {
    sessions: Kept<Proof, Signed>,
    keys: Kept<AccessKeyId, Arc<SigningKey>>,
}

impl Proven {
    /// The session of a token, if nothing has changed since it was made.
    pub(super) fn of_token(&self, version: u64, hash: [u8; 32]) -> Option<Arc<Session>> {
        let found = self.sessions.get(version, &Proof::Token(hash))?;
        Some(found.session)
    }

    /// Keeps the session of a token.
    pub(super) fn keep_token(&self, version: u64, hash: [u8; 32], session: &Arc<Session>) {
        let signed = Signed {
            session: Arc::clone(session),
            noted_at: session.issued_at,
        };
        self.keep(version, Proof::Token(hash), signed);
    }

    /// The session of a signature, if nothing has changed since it was made.
    pub(super) fn of_signature(&self, version: u64, proof: &Proof) -> Option<Signed> {
        self.sessions.get(version, proof)
    }

    /// Keeps a session.
    pub(super) fn keep(&self, version: u64, proof: Proof, signed: Signed) {
        let weight = 1 + signed.session.policies.len();
        self.sessions.put(version, proof, signed, weight);
    }

    /// An opened key, if nothing has changed since.
    pub(super) fn key(&self, version: u64, access: &AccessKeyId) -> Option<Arc<SigningKey>> {
        self.keys.get(version, access)
    }

    /// Keeps an opened key.
    pub(super) fn keep_key(&self, version: u64, key: &Arc<SigningKey>) {
        self.keys
            .put(version, key.access.clone(), Arc::clone(key), 1);
    }
}

/// Values of one version, in two halves: what is asked for moves to the younger one, and when that
/// is full the older one is forgotten.
struct Kept<K, V>(Mutex<Halves<K, V>>);

struct Halves<K, V> {
    version: u64,
    young: HashMap<K, (V, usize)>,
    old: HashMap<K, (V, usize)>,
    weight: usize,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Halves {
            version: 0,
            young: HashMap::new(),
            old: HashMap::new(),
            weight: 0,
        }))
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Kept<K, V> {
    fn get(&self, version: u64, key: &K) -> Option<V> {
        let mut halves = self.halves();
        if halves.version != version {
            return None;
        }
        if let Some((value, _)) = halves.young.get(key) {
            return Some(value.clone());
        }
        let (key, (value, weight)) = halves.old.remove_entry(key)?;
        halves.insert(key, value.clone(), weight);
        Some(value)
    }

    fn put(&self, version: u64, key: K, value: V, weight: usize) {
        let mut halves = self.halves();
        if version < halves.version {
            // Made from what another caller has already seen changed.
            return;
        }
        if version > halves.version {
            (halves.young, halves.old) = (HashMap::new(), HashMap::new());
            (halves.version, halves.weight) = (version, 0);
        }
        halves.insert(key, value, weight);
    }

    fn halves(&self) -> MutexGuard<'_, Halves<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Halves<K, V> {
    fn insert(&mut self, key: K, value: V, weight: usize) {
        if self.weight + weight > WEIGHT_MAX {
            self.old = std::mem::take(&mut self.young);
            self.weight = 0;
        }
        self.weight += weight;
        if let Some((_, replaced)) = self.young.insert(key, (value, weight)) {
            self.weight -= replaced;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_version_knew_is_not_found_and_an_older_one_adds_nothing() {
        let kept = Kept::default();
        kept.put(3, "a", 1, 1);
        assert_eq!(kept.get(3, &"a"), Some(1));
        assert_eq!(kept.get(4, &"a"), None);
        assert_eq!(kept.get(2, &"a"), None);
        kept.put(4, "b", 2, 1);
        kept.put(3, "a", 1, 1);
        assert_eq!(kept.get(3, &"a"), None);
        assert_eq!(kept.get(4, &"a"), None);
        assert_eq!(kept.get(4, &"b"), Some(2));
    }

    #[test]
    fn no_more_is_kept_than_twice_the_weight_and_what_is_asked_for_stays() {
        let kept = Kept::default();
        for number in 0..10 * WEIGHT_MAX {
            kept.put(1, number, number, 1);
            assert_eq!(kept.get(1, &0), Some(0), "after {number}");
        }
        let halves = kept.halves();
        assert!(halves.young.len() + halves.old.len() <= 2 * WEIGHT_MAX);
        assert!(halves.weight <= WEIGHT_MAX);
    }

    #[test]
    fn what_is_heavy_leaves_less_room_for_others() {
        let kept = Kept::default();
        for number in 0..100 {
            kept.put(1, number, (), WEIGHT_MAX / 2);
        }
        let halves = kept.halves();
        assert!(halves.young.len() + halves.old.len() <= 4);
    }
}

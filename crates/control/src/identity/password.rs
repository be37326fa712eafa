//! Passwords: Argon2id, and the same work for users that do not exist.
//!
//! Only hashes are kept, in the PHC text form that carries its own cost, so that the cost can be
//! raised later without touching old ones. Checking one takes tens of MB and milliseconds; only
//! [`AT_ONCE`] run side by side, so a flood of sign-ins slows sign-ins down and nothing else.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::{
    Argon2, PasswordHasher as _, PasswordVerifier as _, password_hash::phc::PasswordHash,
};
use strongroom_model::{Entropy, entropy::random};

use crate::{Error, Result};

/// How many passwords are hashed at the same time.
pub(super) const AT_ONCE: u32 = 2;
/// The shortest password that is accepted for a user.
pub(super) const CHARACTERS_MIN: usize = 8;
/// The longest.
pub(super) const CHARACTERS_MAX: usize = 128;

/// Hashes and checks passwords.
pub(super) struct Passwords {
    decoy: String,
    running: Mutex<u32>,
    freed: Condvar,
}

impl Passwords {
    pub(super) fn new(entropy: &dyn Entropy) -> Result<Self> {
        let mut passwords = Self {
            decoy: String::new(),
            running: Mutex::new(0),
            freed: Condvar::new(),
        };
        passwords.decoy = passwords.hash(&hex::encode(random::<16>(entropy)), entropy)?;
        Ok(passwords)
    }

    /// The text to store for a password, which must have a sensible length.
    pub(super) fn hash(&self, password: &str, entropy: &dyn Entropy) -> Result<String> {
        if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&password.chars().count()) {
            let rule = format!("must have {CHARACTERS_MIN} to {CHARACTERS_MAX} characters");
            return Err(Error::invalid("password", rule));
        }
        let salt: [u8; 16] = random(entropy);
        let _slot = self.slot();
        let hash: PasswordHash = Argon2::default()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map_err(|error| Error::bug("hashing a password", error.to_string()))?;
        Ok(hash.to_string())
    }

    /// Whether the password is the one behind `stored`. Without `stored` it is not, and finding
    /// that out takes as long.
    pub(super) fn check(&self, password: &str, stored: Option<&str>) -> bool {
        let hash = stored.unwrap_or(&self.decoy);
        // A text longer than any password is not worth the work.
        if password.len() > 4 * CHARACTERS_MAX {
            return false;
        }
        let Ok(parsed) = PasswordHash::new(hash) else {
            tracing::error!("a stored password hash cannot be read; set the password anew");
            return false;
        };
        let _slot = self.slot();
        let holds = Argon2::default()
            .verify_password(password.as_bytes(), &parsed)
            .is_ok();
        holds && stored.is_some()
    }

    fn slot(&self) -> Slot<'_> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let mut running = self
            .freed
            .wait_while(running, |running| *running >= AT_ONCE)
            .unwrap_or_else(PoisonError::into_inner);
        *running += 1;
        Slot(self)
    }
}

struct Slot<'a>(&'a Passwords);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self
            .0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use strongroom_testkit::entropy::SeededEntropy;

    use super::*;

    #[test]
    fn only_the_password_opens_its_hash_and_nothing_opens_a_missing_one() {
        let entropy = SeededEntropy::new(1);
        let passwords = Passwords::new(&entropy).unwrap();
        let stored = passwords.hash("correct horse", &entropy).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$"), "{stored}");
        assert!(passwords.check("correct horse", Some(&stored)));
        assert!(!passwords.check("correct horsf", Some(&stored)));
        assert!(!passwords.check("correct horse", None));
        assert!(!passwords.check("correct horse", Some("not a hash")));
        assert!(!passwords.check(&"x".repeat(5000), Some(&stored)));
        assert!(passwords.hash("short", &entropy).is_err());
    }
}

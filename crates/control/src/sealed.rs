//! Secrets of databases, kept sealed: the addresses of layers and servers with their passwords.
//!
//! AES-256-GCM under the master key, bound to a role and to the id of what the secret is for, so
//! that a sealed secret of one server cannot be put into the row of another.

use aws_lc_rs::aead::{Aad, Nonce};
use strongroom_model::entropy::random;
use zeroize::Zeroizing;

use crate::{Control, Error, Result};

const NONCE: usize = 12;

/// What a secret is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Role {
    /// How a sharding layer is reached.
    Layer,
    /// How a data node is reached.
    DataNode,
    /// How the files of a data node are copied.
    Physical,
}

impl Role {
    const fn text(self) -> &'static str {
        match self {
            Self::Layer => "strongroom sharding layer",
            Self::DataNode => "strongroom data node",
            Self::Physical => "strongroom copy of a data node",
        }
    }

    fn associated(self, id: &str) -> Vec<u8> {
        [self.text().as_bytes(), b"\0", id.as_bytes()].concat()
    }
}

impl Control {
    /// Seals a secret for the thing of that id.
    pub(crate) fn seal(&self, role: Role, id: &str, secret: &str) -> Vec<u8> {
        let nonce: [u8; NONCE] = random(self.entropy());
        let mut sealed = secret.as_bytes().to_vec();
        self.master_key()
            .cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(role.associated(id)),
                &mut sealed,
            )
            .expect("a secret is shorter than what AES-GCM seals at once");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens a secret of the thing of that id.
    pub(crate) fn unseal(&self, role: Role, id: &str, sealed: &[u8]) -> Result<Zeroizing<String>> {
        let broken = || {
            let problem = format!(
                "the password for {id} does not open: the master key is not the one it was \
                 sealed with"
            );
            Error::unavailable("the database", problem)
        };
        let (nonce, sealed) = sealed.split_at_checked(NONCE).ok_or_else(broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| broken())?;
        let mut opened = Zeroizing::new(sealed.to_vec());
        let length = self
            .master_key()
            .cipher()
            .open_in_place(nonce, Aad::from(role.associated(id)), &mut opened)
            .map_err(|_| broken())?
            .len();
        opened.truncate(length);
        let text = std::str::from_utf8(&opened).map_err(|_| broken())?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

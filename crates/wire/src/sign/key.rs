//! The keys of the three forms.

use aws_lc_rs::{hkdf, hmac};

use super::authorization::Form;

/// The key of the HMAC that makes the signature.
pub(super) fn signing_key(form: &Form<'_>, access_key: &str, secret: &str) -> hmac::Key {
    match form {
        Form::Plain => key(secret.as_bytes()),
        Form::Scoped {
            day,
            region,
            service,
            ..
        } => {
            let first = key(format!("SDK{secret}").as_bytes());
            [day, region, service, &"sdk_request"]
                .into_iter()
                .fold(first, |chained, part| {
                    key(hmac::sign(&chained, part.as_bytes()).as_ref())
                })
        }
        Form::Derived { scope, .. } => {
            let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, access_key.as_bytes());
            let secret = salt.extract(secret.as_bytes());
            let mut derived = [0; 32];
            secret
                .expand(&[scope.as_bytes()], hkdf::HKDF_SHA256)
                .and_then(|output| output.fill(&mut derived))
                .expect("one block of HKDF is never too long");
            // The hexadecimal text is the key, not the bytes that it stands for.
            key(hex::encode(derived).as_bytes())
        }
    }
}

fn key(bytes: &[u8]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, bytes)
}

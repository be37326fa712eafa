//! What came back: a reply, or a refusal in any of the services' dialects.

use serde_json::Value;
use strongroom_wire::Operation;

use crate::{Error, Refusal, Result};

/// One answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) request_id: Option<String>,
    pub(crate) subject_token: Option<String>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The reply that the operation declares.
    pub(crate) fn reply<O: Operation>(&self) -> Result<O::Reply> {
        if self.status != O::SUCCESS && !(200..300).contains(&self.status) {
            return Err(Box::new(self.refusal::<O>()).into());
        }
        // Nothing is what `null` says; a type that expects more will say so.
        let body = if O::HAS_REPLY {
            &self.body[..]
        } else {
            b"null"
        };
        serde_json::from_slice(body).map_err(|source| Error::BadAnswer {
            operation: O::NAME,
            source,
        })
    }

    fn refusal<O: Operation>(&self) -> Refusal {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let (code, message) = find(&body).unwrap_or_default();
        let message = if message.is_empty() {
            self.beginning()
        } else {
            message
        };
        Refusal {
            operation: O::NAME,
            status: self.status,
            code,
            message,
            request_id: self.request_id.clone(),
        }
    }

    /// The first line of a body that is no error of ours, such as a proxy's page.
    fn beginning(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        line.unwrap_or("no reason given")
            .chars()
            .take(200)
            .collect()
    }
}

/// Code and message, in any dialect: flat, Keystone's, or one level down.
fn find(body: &Value) -> Option<(String, String)> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let object = body.as_object()?;
    for (code, message) in [("error_code", "error_msg"), ("code", "message")] {
        if let Some(message) = object.get(message) {
            return Some((
                object.get(code).map(text).unwrap_or_default(),
                text(message),
            ));
        }
    }
    object.values().find_map(find)
}

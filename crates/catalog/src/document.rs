//! Rows as documents: what is written beside the data of a vault, so that the catalog can be
//! made anew without itself.
//!
//! A document has the columns of a row under their names, whatever these are: a column that is
//! added to a table is in its documents from then on. Numbers and text stand as JSON has them,
//! bytes as `{"hex": "…"}`.
//!
//! Invariant: a row that was written as a document and read back is the same row. A column that a
//! document does not know (an older release wrote it) has the empty value of its type; one that
//! this release does not know is an error, for something would be lost silently.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::{
    error::{Error, Result},
    table::{Row, Table},
    value::Value,
};

/// The columns of a row by name.
pub type Columns = BTreeMap<String, Json>;

/// A row that can be written as a document. Every row is.
pub trait Document: Sized {
    /// The row as a document.
    fn to_document(&self) -> Columns;

    /// The row of a document.
    fn from_document(document: &Columns) -> Result<Self>;
}

impl<R: Table> Document for R {
    fn to_document(&self) -> Columns {
        let columns = R::COLUMNS.iter().map(|column| (*column).to_owned());
        columns.zip(self.write().into_iter().map(to_json)).collect()
    }

    fn from_document(document: &Columns) -> Result<Self> {
        let known = |column: &String| R::COLUMNS.contains(&column.as_str());
        if let Some(column) = document.keys().find(|column| !known(column)) {
            return Err(Error::Document {
                what: R::WHAT,
                reason: format!("the column {column} is of a newer release; run that one"),
            });
        }
        let mut values = Vec::with_capacity(R::COLUMNS.len());
        let mut missing = Vec::new();
        for (place, column) in R::COLUMNS.iter().enumerate() {
            let value = if let Some(value) = document.get(*column) {
                of_json(value).ok_or_else(|| Error::Document {
                    what: R::WHAT,
                    reason: format!("its {column} is {value}"),
                })?
            } else {
                missing.push(place);
                Value::Null
            };
            values.push(value);
        }
        with_empty_values(values, &missing)
    }
}

/// Reads the row, giving each missing column the first of the empty values that its type takes.
fn with_empty_values<R: Table>(mut values: Vec<Value>, missing: &[usize]) -> Result<R> {
    let empty = [
        Value::Null,
        Value::Integer(0),
        Value::Text(String::new()),
        Value::Text("null".to_owned()),
        Value::Text("[]".to_owned()),
        Value::Blob(Vec::new()),
    ];
    let mut tried = vec![0; missing.len()];
    loop {
        let mut row = Row {
            table: R::NAME,
            values: values.clone().into_iter(),
        };
        let error = match R::read(&mut row) {
            Ok(row) => return Ok(row),
            Err(error) => error,
        };
        // The column that was refused is the next one after those that were taken.
        let refused = R::COLUMNS.len() - row.values.len() - 1;
        let Some(at) = missing.iter().position(|place| *place == refused) else {
            return Err(error);
        };
        tried[at] += 1;
        match empty.get(tried[at]) {
            Some(value) => values[refused] = value.clone(),
            None => return Err(error),
        }
    }
}

fn to_json(value: Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => json!({ "hex": to_hex(&bytes) }),
    }
}

fn of_json(value: &Json) -> Option<Value> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(object) if object.len() == 1 => {
            Value::Blob(of_hex(object.get("hex")?.as_str()?)?)
        }
        _ => return None,
    })
}

fn to_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use strongroom_model::{
        Bytes, ProjectId, ResourceId, ResourceKind, Timestamp, UserId, VaultId,
    };

    use super::*;
    use crate::{ResourceRow, TagRow, VaultResourceRow, identity::ProjectRow};

    fn resource() -> ResourceRow {
        ResourceRow {
            id: ResourceId::from_bytes([1; 16]),
            project_id: ProjectId::from_bytes([2; 16]),
            kind: ResourceKind::Share,
            name: "größe".into(),
            path: vec![b'/', 0xff, 0, b'a'],
            size_bytes: Bytes(u64::from(u32::MAX) * 9),
            created_at: Timestamp::from_micros(-5),
            removed_at: None,
        }
    }

    #[test]
    fn a_row_comes_back_from_its_document_whatever_its_bytes() {
        let row = resource();
        let document = row.to_document();
        let text = serde_json::to_string(&document).unwrap();
        let read: Columns = serde_json::from_str(&text).unwrap();
        assert_eq!(ResourceRow::from_document(&read).unwrap(), row);
        assert_eq!(document["path"], json!({ "hex": "2fff0061" }));
    }

    #[test]
    fn what_an_older_release_did_not_know_is_empty_and_what_a_newer_one_knows_is_refused() {
        let mut document = resource().to_document();
        for column in ["name", "path", "size_bytes", "removed_at"] {
            document.remove(column);
        }
        let read = ResourceRow::from_document(&document).unwrap();
        assert_eq!(
            (read.name.as_str(), read.path.len(), read.size_bytes),
            ("", 0, Bytes(0))
        );

        document.remove("kind");
        ResourceRow::from_document(&document).unwrap_err();

        let mut newer = resource().to_document();
        newer.insert("colour".into(), json!("red"));
        let error = ResourceRow::from_document(&newer).unwrap_err();
        assert!(error.to_string().contains("newer release"), "{error}");
    }

    #[test]
    fn a_document_of_another_table_or_with_spoiled_values_is_refused() {
        let tag = TagRow {
            project_id: ProjectId::from_bytes([2; 16]),
            vault_id: VaultId::from_bytes([3; 16]),
            key: "k".into(),
            value: "v".into(),
        };
        ResourceRow::from_document(&tag.to_document()).unwrap_err();
        VaultResourceRow::from_document(&tag.to_document()).unwrap_err();
        for spoiled in [
            json!([1]),
            json!({"hex": "0g"}),
            json!({"hex": "0"}),
            json!(1.5),
        ] {
            let mut document = resource().to_document();
            document.insert("path".into(), spoiled);
            ResourceRow::from_document(&document).unwrap_err();
        }
        let project = ProjectRow {
            id: ProjectId::from_bytes([2; 16]),
            domain_id: strongroom_model::DomainId::from_bytes([4; 16]),
            name: UserId::from_bytes([5; 16]).to_string(),
            enabled: true,
            created_at: Timestamp::default(),
        };
        assert_eq!(
            ProjectRow::from_document(&project.to_document()).unwrap(),
            project
        );
    }
}

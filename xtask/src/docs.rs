//! Writes the documents that are made from the code, and checks that they are fresh.
//!
//! A document is a row of [`DOCUMENTS`]: where it stands and what makes its text. Who adds one
//! adds a row; CI then fails when the code has moved on and the document has not.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::workspace::root;

/// A generated document: its path and its text.
type Document = (&'static str, fn() -> Result<String>);

const DOCUMENTS: &[Document] = &[("docs/api-coverage.md", || {
    Ok(strongroom_wire::coverage::markdown())
})];

/// The task: writes every generated document.
pub(crate) fn task() -> Result<()> {
    for (path, text) in DOCUMENTS {
        let place = root().join(path);
        let text = text().with_context(|| format!("cannot make {path}"))?;
        fs::write(&place, text).with_context(|| format!("cannot write {path}"))?;
        println!("docs: wrote {path}");
    }
    Ok(())
}

/// Fails if a document is not what the code would make of it today.
pub(crate) fn check() -> Result<()> {
    for (path, text) in DOCUMENTS {
        let fresh = text().with_context(|| format!("cannot make {path}"))?;
        if fs::read_to_string(root().join(path)).ok() != Some(fresh) {
            bail!("{path} is out of date; run `cargo xtask docs` and commit it");
        }
    }
    println!("docs: {} generated documents are fresh", DOCUMENTS.len());
    Ok(())
}

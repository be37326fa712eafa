//! Labels on layers: at most 20 on each.

use std::collections::{BTreeMap, BTreeSet};

use strongroom_catalog::DdmTagRow;
use strongroom_model::DdmInstanceId;

use crate::{Caller, Control, Error, Reason, Result, control::project, ddm::get};

/// Labels that a layer bears at most.
const TAGS_MAX: usize = 20;
/// The longest key.
const KEY_MAX: usize = 36;
/// The longest value.
const VALUE_MAX: usize = 43;

impl Control {
    /// The labels of a layer.
    pub fn instance_tags(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
    ) -> Result<BTreeMap<String, String>> {
        let project = project(caller)?;
        self.read(|tx| {
            get(tx, project, id)?;
            let tags = tx.ddm_instances().tags(&project, Some(&id))?.into_iter();
            Ok(tags.map(|tag| (tag.key, tag.value)).collect())
        })
    }

    /// The labels of all the project's layers: every value of every key.
    pub fn all_instance_tags(&self, caller: &Caller) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let project = project(caller)?;
        self.read(|tx| {
            let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for tag in tx.ddm_instances().tags(&project, None)? {
                all.entry(tag.key).or_default().insert(tag.value);
            }
            Ok(all)
        })
    }

    /// Puts labels on a layer, over those of the same keys.
    pub fn set_instance_tags(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        tags: Vec<(String, String)>,
    ) -> Result<()> {
        let project = project(caller)?;
        let mut seen = BTreeSet::new();
        for (key, value) in &tags {
            check(key, value)?;
            if !seen.insert(key) {
                return Err(Error::invalid(
                    "tags",
                    format!("the key {key} is there twice"),
                ));
            }
        }
        self.write(|tx| {
            get(tx, project, id)?;
            for (key, value) in tags {
                tx.ddm_instances().set_tag(&DdmTagRow {
                    project_id: project,
                    instance_id: id,
                    key,
                    value,
                })?;
            }
            if tx.ddm_instances().tags(&project, Some(&id))?.len() > TAGS_MAX {
                return Err(Error::quota(Reason::TooManyTags, id));
            }
            Ok(())
        })
    }

    /// Gives a label that a layer bears another value.
    pub fn change_instance_tag(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        key: &str,
        value: &str,
    ) -> Result<()> {
        let tags = self.instance_tags(caller, id)?;
        if !tags.contains_key(key) {
            return Err(Error::not_found(Reason::NoSuchTag, key));
        }
        self.set_instance_tags(caller, id, vec![(key.to_owned(), value.to_owned())])
    }

    /// Takes labels off a layer; those that it does not bear do not matter.
    pub fn remove_instance_tags(
        &self,
        caller: &Caller,
        id: DdmInstanceId,
        keys: &[String],
    ) -> Result<()> {
        let project = project(caller)?;
        self.write(|tx| {
            get(tx, project, id)?;
            for key in keys {
                tx.ddm_instances().remove_tag(&project, &id, key)?;
            }
            Ok(())
        })
    }
}

fn check(key: &str, value: &str) -> Result<()> {
    let allowed = |text: &str| {
        text.chars()
            .all(|letter| letter.is_alphanumeric() || "_-.:=+@/ ".contains(letter))
    };
    if key.is_empty() || key.chars().count() > KEY_MAX || !allowed(key) {
        let problem = format!("a key has 1 to {KEY_MAX} letters, digits and _-.:=+@/");
        return Err(Error::invalid("key", problem));
    }
    if value.chars().count() > VALUE_MAX || !allowed(value) {
        let problem = format!("a value has at most {VALUE_MAX} letters, digits and _-.:=+@/");
        return Err(Error::invalid("value", problem));
    }
    Ok(())
}

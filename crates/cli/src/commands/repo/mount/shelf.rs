//! The folders above the backups: every manifest by id, by time, by tag and by what it was made of.
//!
//! Manifests never change, so each is read once; which ones there are is asked for again when
//! somebody looks and the last answer is old. A manifest that cannot be read is told and left out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use strongroom_engine::{Manifest, ManifestId, Repository};
use strongroom_model::content::NAME_BYTES_MAX;

use crate::commands::repo::manifests::{SOURCE, TAG};

/// How old an answer may be.
pub(super) const FRESH: Duration = Duration::from_secs(2);

/// What is in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// Another folder, by its path.
    Folder(String),
    /// A link with that target.
    Link(String),
    /// The tree or volume of a manifest.
    Manifest(ManifestId),
}

/// The entries of a folder.
pub(super) type Folder = BTreeMap<String, Item>;

/// All folders, by path; the root's is empty.
type Folders = BTreeMap<String, Folder>;

/// The folders of a repository.
pub(super) struct Shelf {
    repository: Repository,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    looked: Option<Instant>,
    known: HashMap<ManifestId, Arc<Manifest>>,
    folders: Arc<Folders>,
}

impl Shelf {
    pub(super) fn new(repository: &Repository) -> Self {
        Self {
            repository: repository.clone(),
            state: Mutex::default(),
        }
    }

    /// The entries of the folder at `path`, as of now or a moment ago.
    pub(super) fn folder(&self, path: &str) -> strongroom_engine::Result<Folder> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.is_none_or(|looked| looked.elapsed() > FRESH) {
            self.look(&mut state)?;
        }
        Ok(state.folders.get(path).cloned().unwrap_or_default())
    }

    /// A manifest that some folder shows.
    pub(super) fn manifest(&self, id: &ManifestId) -> Option<Arc<Manifest>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.known.get(id).cloned()
    }

    fn look(&self, state: &mut State) -> strongroom_engine::Result<()> {
        let ids = self.repository.manifests()?;
        let mut known = HashMap::with_capacity(ids.len());
        for id in ids {
            let manifest = match state.known.remove(&id) {
                Some(manifest) => manifest,
                None => match self.repository.manifest(&id) {
                    Ok(manifest) => Arc::new(manifest),
                    Err(error) => {
                        let error = anyhow::Error::new(error).context(format!("cannot show {id}"));
                        eprintln!("{}", crate::output::chain(&error));
                        continue;
                    }
                },
            };
            known.insert(id, manifest);
        }
        state.folders = Arc::new(arrange(known.values().map(|manifest| &**manifest)));
        state.known = known;
        state.looked = Some(Instant::now());
        Ok(())
    }
}

/// Puts every manifest into the folders where people look for it.
fn arrange<'a>(manifests: impl Iterator<Item = &'a Manifest>) -> Folders {
    let mut manifests: Vec<_> = manifests.collect();
    manifests.sort_by_key(|manifest| (manifest.body.finished, manifest.id));
    let mut folders = Folders::new();
    let mut put = |folder: &str, name: String, item: Item| {
        if name.len() <= NAME_BYTES_MAX {
            folders
                .entry(folder.to_owned())
                .or_default()
                .insert(name, item);
        }
    };
    for folder in ["by-id", "by-source", "by-tag", "by-time"] {
        put("", folder.to_owned(), Item::Folder(folder.to_owned()));
    }
    for manifest in manifests {
        let (id, labels) = (manifest.id, &manifest.body.labels);
        let time = time_name(manifest);
        put("by-id", id.to_string(), Item::Manifest(id));
        put(
            "by-time",
            time.clone(),
            Item::Link(format!("../by-id/{id}")),
        );
        // The newest comes last and stays.
        put("", "latest".to_owned(), Item::Link(format!("by-id/{id}")));
        if let Some(tag) = labels.get(TAG) {
            put("by-tag", plain(tag), Item::Link(format!("../by-id/{id}")));
        }
        if let Some(source) = labels.get(SOURCE) {
            let name = plain(source.trim_matches('/'));
            let folder = format!("by-source/{name}");
            put("by-source", name, Item::Folder(folder.clone()));
            put(&folder, time, Item::Link(format!("../../by-id/{id}")));
        }
    }
    folders
}

/// When a manifest was finished, to the second, made unique by the beginning of its id.
fn time_name(manifest: &Manifest) -> String {
    let time = manifest.body.finished.to_jiff();
    let time = time.map(|time| time.strftime("%Y-%m-%dT%H-%M-%SZ").to_string());
    let id = manifest.id.to_string();
    format!(
        "{}-{}",
        time.unwrap_or_default(),
        id.get(..8).unwrap_or(&id)
    )
}

/// A label as the name of an entry; distinct labels have distinct names.
fn plain(label: &str) -> String {
    match label {
        "" => "%".to_owned(),
        "." | ".." => label.replace('.', "%2E"),
        label => label
            .replace('%', "%25")
            .replace('/', "%2F")
            .replace('\0', "%00"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_names_of_one_component_and_stay_apart() {
        let labels = ["", "%", ".", "..", "a/b", "a%2Fb", "a\0b", "plain"];
        let names: std::collections::BTreeSet<_> =
            labels.iter().map(|label| plain(label)).collect();
        assert_eq!(names.len(), labels.len());
        for name in names {
            assert!(
                strongroom_model::content::Name::new(name.as_bytes()).is_ok(),
                "{name}"
            );
        }
    }
}

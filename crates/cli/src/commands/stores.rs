//! Where the data of the vaults are: one store for this service's own region, one for each other.
//!
//! `serve` and `admin rebuild-catalog` must be told the same; both take these options.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result};
use strongroom_control::{StoreOf, stores_below};

use crate::installation::Installation;

/// Where the data of the vaults are.
#[derive(clap::Args)]
pub(crate) struct Stores {
    /// Where the data of the vaults goes: a folder or an s3:// address; DIR/repositories if nothing
    /// is said
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Another region that takes replicas, and where their data goes; may be repeated
    #[arg(long, value_name = "NAME=URL", value_parser = region_store)]
    region_store: Vec<(String, String)>,
}

impl Stores {
    /// The address of the own region's data.
    pub(crate) fn home(&self, installation: &Installation) -> Result<String> {
        if let Some(url) = &self.store {
            return Ok(url.clone());
        }
        let repositories = installation.folder.join("repositories");
        let url = repositories
            .to_str()
            .context("the data directory's name is not UTF-8; choose another")?;
        Ok(url.to_owned())
    }

    /// The addresses of the other regions' data, by region.
    pub(crate) fn regions(&self) -> impl Iterator<Item = (&str, &str)> {
        let named = self.region_store.iter();
        named.map(|(name, url)| (name.as_str(), url.as_str()))
    }

    /// The stores of the other regions.
    pub(crate) fn others(&self) -> BTreeMap<String, StoreOf> {
        self.regions()
            .map(|(name, url)| (name.to_owned(), stores_below(url)))
            .collect()
    }

    /// The folders among all of them, which no resource may be inside of.
    pub(crate) fn folders(&self) -> Result<Vec<PathBuf>> {
        let urls = self.store.iter().map(String::as_str);
        let urls = urls.chain(self.regions().map(|(_, url)| url));
        urls.filter(|url| !url.contains("://"))
            .map(|url| Ok(std::path::absolute(url)?))
            .collect()
    }
}

/// Reads `NAME=URL`.
fn region_store(text: &str) -> Result<(String, String), String> {
    let (name, url) = text
        .split_once('=')
        .ok_or("must be the region's name, an equals sign and an address")?;
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if name.is_empty() || name.len() > 64 || !name.chars().all(letter) {
        return Err("a region's name has 1 to 64 letters, digits, '.', '_' and '-'".to_owned());
    }
    if url.is_empty() {
        return Err("the address is missing".to_owned());
    }
    Ok((name.to_owned(), url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_name_and_an_address() {
        let read = |text| region_store(text).map_err(drop);
        assert_eq!(
            read("far=s3://b/p?endpoint=http://h"),
            Ok(("far".into(), "s3://b/p?endpoint=http://h".into()))
        );
        for bad in ["far", "=x", "far=", "a b=x", "ä=x"] {
            assert_eq!(read(bad), Err(()), "{bad}");
        }
    }
}

//! What the first start chose and later ones must keep to: named texts.

use crate::{
    error::Result,
    query::{Direction::Ascending, Filter},
    table::table,
    tx::Tx,
};

table! {
    /// A setting.
    pub struct SettingRow, "settings", "setting", key ["name"] {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    }
}

/// The table of settings.
pub struct Settings<'t>(&'t Tx<'t>);

impl Tx<'_> {
    /// The settings.
    pub fn settings(&self) -> Settings<'_> {
        Settings(self)
    }
}

impl Settings<'_> {
    /// The value of that name.
    pub fn get(&self, name: &str) -> Result<Option<String>> {
        let row = self
            .0
            .one::<SettingRow>(&Filter::new().is("name", &name.to_owned()))?;
        Ok(row.map(|row| row.value))
    }

    /// Gives `name` that value.
    pub fn set(&self, name: &str, value: &str) -> Result<()> {
        self.0.upsert(&SettingRow {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }

    /// All settings by name.
    pub fn list(&self) -> Result<Vec<SettingRow>> {
        self.0.select(&Filter::new(), &[("name", Ascending)])
    }
}

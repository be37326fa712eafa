//! The use cases, driven as `api` drives them, over a real catalog, real files and the real
//! engine. One file per noun; `world` builds what they need.

mod tags;
mod vaults;
mod world;

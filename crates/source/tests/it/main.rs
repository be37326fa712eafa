//! Sources and targets on a real file system, with a real repository between them.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod common;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod share;
#[cfg(test)]
mod target;
#[cfg(test)]
mod volume;

//! The wire against the documents: examples, published definitions, generated pages.

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod dbss;
#[cfg(test)]
mod ddm;
#[cfg(test)]
mod definitions;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod fixtures;

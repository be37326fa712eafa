//! The API from outside, in process: every reply of CBR is held against the vendor's published
//! definitions on its way out of [`cloud::TestCloud`].

mod cloud;
mod strangers;

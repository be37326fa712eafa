//! Ids, times and windows between the wire and the use cases.

use strongroom_control::{Page, Reason};
use strongroom_model::{DdmInstanceId, DdmNodeId, Timestamp};
use strongroom_wire::{
    ddm::{DEFAULT_LIMIT, Millis},
    query::{Limit, Offset},
    time::DdmTime,
};

pub(super) use crate::windows::window;
use crate::{
    failure::Failure,
    windows::{self, known},
};

/// A window on a list.
pub(super) fn page<const MAX: u32>(limit: Option<Limit<MAX>>, offset: Option<Offset>) -> Page {
    windows::page(limit, offset, DEFAULT_LIMIT)
}

/// The offset that a reply tells.
pub(super) fn offset_of(page: &Page) -> u32 {
    u32::try_from(page.offset).unwrap_or(u32::MAX)
}

/// An instance's id.
pub(super) fn instance(text: &str) -> Result<DdmInstanceId, Failure> {
    known(text, Reason::NoSuchInstance)
}

/// A time of ours on the wire.
pub(super) const fn time(time: Timestamp) -> DdmTime {
    DdmTime::from_micros(time.as_micros())
}

/// A time of the wire, ours.
pub(super) const fn time_of(millis: Millis) -> Timestamp {
    Timestamp::from_micros(millis.0.saturating_mul(1000))
}

/// A time of ours in milliseconds.
pub(super) const fn millis(time: Timestamp) -> Millis {
    Millis(time.as_micros().div_euclid(1000))
}

/// A parameter that must be there.
pub(super) fn required<T>(name: &'static str, value: Option<T>) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::malformed(name, "is missing"))
}

/// The one node of an instance: the server that its owner runs.
pub(super) fn node_id(instance: DdmInstanceId) -> DdmNodeId {
    DdmNodeId::from_bytes(*instance.as_bytes())
}

/// The group of that node.
pub(super) fn group_id(instance: DdmInstanceId) -> String {
    format!("{}gr09", hex::encode(instance.as_bytes()))
}

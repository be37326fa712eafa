//! Words and ids between the wire and the use cases.
//!
//! Both sides have closed sets of the vendor's words, and each its own copy on purpose. A word of
//! ours that the wire does not know would be a mistake of ours; the tests below go over all.

use std::{fmt, str::FromStr};

use strongroom_control::words as control;
use strongroom_model::{ResourceKind, Timestamp, id::MalformedId};
use strongroom_wire::{
    cbr::resource::{ObjectType, ResourceType, provider},
    time::CbrTime,
};

use crate::failure::Failure;

/// The wire's word for a state or kind of ours.
pub(crate) fn shown<W: FromStr>(word: &str) -> W {
    let Ok(word) = word.parse() else {
        unreachable!("the wire knows every word of ours: {word}")
    };
    word
}

/// Our word for a word of the wire; refused where we have none.
pub(crate) fn asked<C>(word: impl fmt::Display) -> Result<C, Failure>
where
    C: FromStr<Err = strongroom_control::Error>,
{
    Ok(word.to_string().parse()?)
}

/// Our word for an optional word of the wire.
pub(crate) fn asked_maybe<C>(word: Option<impl fmt::Display>) -> Result<Option<C>, Failure>
where
    C: FromStr<Err = strongroom_control::Error>,
{
    word.map(asked).transpose()
}

/// An id as it stands in a path, query or body.
pub(crate) fn id<I: FromStr<Err = MalformedId>>(field: &str, text: &str) -> Result<I, Failure> {
    text.parse()
        .map_err(|malformed: MalformedId| Failure::malformed(field, malformed))
}

/// An optional id.
pub(crate) fn id_maybe<I>(field: &str, text: Option<&String>) -> Result<Option<I>, Failure>
where
    I: FromStr<Err = MalformedId>,
{
    text.map(|text| id(field, text)).transpose()
}

/// Several ids.
pub(crate) fn ids<I>(field: &str, texts: &[String]) -> Result<Vec<I>, Failure>
where
    I: FromStr<Err = MalformedId>,
{
    texts.iter().map(|text| id(field, text)).collect()
}

/// A time of ours on the wire.
pub(crate) const fn time(time: Timestamp) -> CbrTime {
    CbrTime::from_micros(time.as_micros())
}

/// A time of the wire, ours.
pub(crate) fn time_asked(time: Option<CbrTime>) -> Option<Timestamp> {
    time.map(|time| Timestamp::from_micros(time.as_micros()))
}

/// The enterprise project of a filter; the vendor's word for all of them is no filter.
pub(crate) fn enterprise_project(asked: Option<String>) -> Option<String> {
    asked.filter(|id| id != "all_granted_eps")
}

/// The vendor's type of a kind of resource.
pub(crate) const fn resource_type(kind: ResourceKind) -> ResourceType {
    match kind {
        ResourceKind::Share => ResourceType::Turbo,
        ResourceKind::Volume => ResourceType::Volume,
    }
}

/// The kind of resource behind a vendor's type, if there is one here.
pub(crate) const fn kind(resource_type: ResourceType) -> Option<ResourceKind> {
    match resource_type {
        ResourceType::Turbo => Some(ResourceKind::Share),
        ResourceType::Volume => Some(ResourceKind::Volume),
        ResourceType::Server
        | ResourceType::BareMetalServer
        | ResourceType::NativeServer
        | ResourceType::Desktop => None,
    }
}

/// The provider id of a kind of resource.
pub(crate) const fn provider_id(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Share => provider::TURBO,
        ResourceKind::Volume => provider::DISK,
    }
}

/// The provider id of a type of vault; empty for the few that have none.
pub(crate) fn vault_provider_id(object_type: control::ObjectType) -> &'static str {
    shown::<ObjectType>(object_type.as_str())
        .provider_id()
        .unwrap_or_default()
}

/// The types of vault that have this provider id.
pub(crate) fn object_types_of_provider(id: &str) -> Vec<control::ObjectType> {
    let has = |of: &control::ObjectType| vault_provider_id(*of) == id;
    control::ObjectType::ALL
        .iter()
        .copied()
        .filter(has)
        .collect()
}

#[cfg(test)]
mod tests {
    use strongroom_model::state;
    use strongroom_wire::cbr::{backup, checkpoint, operation_log, resource, vault};

    use super::*;

    macro_rules! every_word_is_known {
        ($($ours:ty => $wire:ty),* $(,)?) => {$(
            for word in <$ours>::ALL {
                assert_eq!(shown::<$wire>(word.as_str()).as_str(), word.as_str());
            }
        )*};
    }

    #[test]
    fn the_wire_knows_every_word_of_ours() {
        every_word_is_known! {
            state::BackupStatus => backup::BackupStatus,
            state::CheckpointStatus => checkpoint::CheckpointStatus,
            state::VaultStatus => vault::VaultStatus,
            state::ProtectStatus => resource::ProtectStatus,
            state::TaskStatus => operation_log::TaskStatus,
            control::ObjectType => resource::ObjectType,
            control::ProtectType => vault::ProtectType,
            control::ConsistentLevel => vault::ConsistentLevel,
            control::CloudType => vault::CloudType,
            control::ChargingMode => vault::ChargingMode,
            control::OperationType => operation_log::OperationType,
            control::OwnType => backup::OwnType,
            control::MemberStatus => backup::MemberStatus,
            control::ImageType => backup::ImageType,
        }
    }

    #[test]
    fn a_kind_is_found_again_by_its_type_and_its_vaults_by_their_provider() {
        for of in ResourceKind::ALL {
            assert_eq!(kind(resource_type(*of)), Some(*of));
            let vaults = object_types_of_provider(provider_id(*of));
            assert_eq!(vaults, [control::ObjectType::of(*of)]);
        }
        assert!(object_types_of_provider("unknown").is_empty());
    }
}

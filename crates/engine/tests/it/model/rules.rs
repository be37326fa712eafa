//! The rules of the protocol that data hang on, each of which can be taken away.

/// A rule without which something is lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// A writer takes its lease before it reads the quarantines.
    LeaseBeforeQuarantines,
    /// A writer does not rely on packs in quarantine.
    WritersShunQuarantines,
    /// A writer asks the index for every chunk, those of the previous manifest too.
    TakenOverIsLookedUp,
    /// A manifest is created only where nothing stands.
    CommitIsConditional,
    /// The leases to wait for are listed when the quarantine record is there.
    RecordBeforeWaits,
    /// A sweep waits until these leases are gone.
    SweepWaits,
    /// A lease is taken away only when a fence stands in the manifest's place.
    FenceBeforeRelease,
    /// Before anything goes, a second look asks what is needed.
    SecondLook,
    /// The second look takes no pack in any quarantine for safe.
    SecondLookShunsQuarantines,
    /// What condemned packs hold is asked of them, not of the index.
    SecondLookAsksThePacks,
    /// A forgotten manifest counts until the last word on it is said.
    LastWordBeforeSweep,
    /// Of lifting and sweeping a quarantine, one is decided.
    OutcomeIsDecided,
    /// Who decided looks whether the quarantine still stands.
    RecordOutlivesDecision,
    /// A quarantine ends after its packs.
    LiftComesLast,
}

impl Rule {
    pub(crate) const ALL: [Self; 14] = [
        Self::LeaseBeforeQuarantines,
        Self::WritersShunQuarantines,
        Self::TakenOverIsLookedUp,
        Self::CommitIsConditional,
        Self::RecordBeforeWaits,
        Self::SweepWaits,
        Self::FenceBeforeRelease,
        Self::SecondLook,
        Self::SecondLookShunsQuarantines,
        Self::SecondLookAsksThePacks,
        Self::LastWordBeforeSweep,
        Self::OutcomeIsDecided,
        Self::RecordOutlivesDecision,
        Self::LiftComesLast,
    ];
}

/// The rules that are kept: all, or all but one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules(Option<Rule>);

impl Rules {
    pub(crate) const ALL: Self = Self(None);

    pub(crate) const fn without(rule: Rule) -> Self {
        Self(Some(rule))
    }

    pub(crate) fn lack(self, rule: Rule) -> bool {
        self.0 == Some(rule)
    }
}

//! What retention will do in a vault.

use strongroom_control::retention::{Foreseen, NewPreview};
use strongroom_model::retention::{Cause, Fate, Hold};
use strongroom_wire::native::{
    self as wire,
    retention::{Because, ForeseenBackup, Ground, RetentionPreview},
};

use crate::{
    call::Call,
    cbr::words::{id, id_maybe, time},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn preview(
    cloud: &Cloud,
    call: &Call<wire::PreviewRetention>,
) -> Result<RetentionPreview, Failure> {
    let new = NewPreview {
        vault_id: id("vault_id", &call.path.vault_id)?,
        day: call.query.day.clone(),
        policy_id: id_maybe("policy_id", call.query.policy_id.as_ref())?,
        resource_id: id_maybe("resource_id", call.query.resource_id.as_ref())?,
    };
    let preview = cloud.control.preview_retention(&call.caller()?, &new)?;
    let backups: Vec<_> = preview.backups.into_iter().map(present).collect();
    let go = backups.iter().filter(|one| one.goes_at.is_some()).count() as u64;
    Ok(RetentionPreview {
        vault_id: new.vault_id.to_string(),
        policy_id: preview.policy_id.map(|id| id.to_string()),
        until: time(preview.until),
        deletes_from: time(preview.deletes_from),
        exist: backups.len() as u64 - go,
        go,
        backups,
    })
}

fn present(foreseen: Foreseen) -> ForeseenBackup {
    let (goes_at, because) = match &foreseen.fate {
        Fate::Goes { at, cause } => (Some(time(*at)), vec![of_cause(*cause)]),
        Fate::Stays(holds) if holds.is_empty() => (None, vec![plain(Ground::ClockNotBelieved)]),
        Fate::Stays(holds) => (None, holds.iter().map(|hold| of_hold(*hold)).collect()),
    };
    let (backup_id, name) = foreseen
        .backup
        .map(|(id, name)| (id.to_string(), name))
        .unzip();
    ForeseenBackup {
        backup_id,
        name,
        resource_id: foreseen.resource.id.to_string(),
        resource_name: foreseen.resource.name,
        scheduled: foreseen.scheduled,
        at: time(foreseen.at),
        made_at: foreseen.begins.map(time),
        goes_at,
        because,
    }
}

fn of_hold(hold: Hold) -> Because {
    let numbered = |ground, number| Because {
        number: Some(number),
        ..plain(ground)
    };
    let timed = |ground, until| Because {
        until: Some(time(until)),
        ..plain(ground)
    };
    match hold {
        Hold::Newest => plain(Ground::Newest),
        Hold::Count(number) => numbered(Ground::Count, number),
        Hold::FormerCount(number) => numbered(Ground::FormerCount, number),
        Hold::Until(day) => timed(Ground::Until, day),
        Hold::Forever => plain(Ground::Forever),
        Hold::NewestOfDay => plain(Ground::NewestOfDay),
        Hold::NewestOfWeek => plain(Ground::NewestOfWeek),
        Hold::NewestOfMonth => plain(Ground::NewestOfMonth),
        Hold::NewestOfYear => plain(Ground::NewestOfYear),
        Hold::LongTerm(until) => timed(Ground::LongTerm, until),
        Hold::Promised => plain(Ground::Promised),
        Hold::Failed => plain(Ground::Failed),
    }
}

fn of_cause(cause: Cause) -> Because {
    match cause {
        Cause::Expired(day) => Because {
            until: Some(time(day)),
            ..plain(Ground::Expired)
        },
        Cause::Count(number) => Because {
            number: Some(number),
            ..plain(Ground::Count)
        },
        Cause::FormerCount(number) => Because {
            number: Some(number),
            ..plain(Ground::FormerCount)
        },
        Cause::FailedLongAgo => plain(Ground::FailedLongAgo),
        Cause::FailedTooOften => plain(Ground::FailedTooOften),
    }
}

const fn plain(ground: Ground) -> Because {
    Because {
        ground,
        number: None,
        until: None,
    }
}

//! `GET /metrics`: counts for Prometheus, documented in docs/metrics.md.
//!
//! Public like the probes, so there is nothing in it of any project: no names, no ids, sums over
//! the installation. What would cost a walk through the catalog is taken from the watchdog's last
//! round.

use std::{
    collections::BTreeMap,
    fmt::{Display, Write as _},
    sync::{Mutex, PoisonError},
};

use http::StatusCode;
use strongroom_control::{Control, Result};

use crate::{cloud::Cloud, service::Outcome};

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Call, u64>>,
}

/// Service, operation and status.
type Call = (&'static str, &'static str, u16);

impl Metrics {
    pub(crate) fn count(&self, outcome: &Outcome<'_>) {
        // Our own API shares an origin with identity and is not identity.
        let (service, operation) = outcome
            .operation
            .map_or((outcome.service, "none"), |operation| {
                (operation.service.as_str(), operation.name)
            });
        let call = (service, operation, outcome.status.as_u16());
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry(call).or_default() += 1;
    }
}

/// The page.
pub(crate) fn show(cloud: &Cloud) -> (StatusCode, String) {
    let mut page = Page(String::new());
    page.gauge("strongroom_build_info", "The program's version.");
    page.value(&[("version", &env!("CARGO_PKG_VERSION"))], 1);
    requests(&mut page, &cloud.metrics);
    // Half a page would look as if things had vanished.
    match catalog(&mut page, &cloud.control) {
        Ok(()) => (StatusCode::OK, page.0),
        Err(error) => {
            tracing::warn!(%error, "the metrics could not be read");
            (StatusCode::SERVICE_UNAVAILABLE, String::new())
        }
    }
}

fn requests(page: &mut Page, metrics: &Metrics) {
    let requests = metrics
        .requests
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    page.counter("strongroom_requests_total", "Requests that were answered.");
    for ((service, operation, status), count) in requests.iter() {
        let labels: [(_, &dyn Display); 3] = [
            ("service", service),
            ("operation", operation),
            ("status", status),
        ];
        page.value(&labels, *count);
    }
}

fn catalog(page: &mut Page, control: &Control) -> Result<()> {
    let sums = control.sums()?;
    let waiting = control.notifications_waiting()?;
    for (name, help, value) in [
        ("strongroom_vaults", "Vaults.", sums.vaults),
        (
            "strongroom_vault_size_bytes",
            "The sum of the vaults' sizes.",
            sums.size_gib.saturating_mul(1 << 30),
        ),
        (
            "strongroom_vault_used_bytes",
            "The sum of what backups use of them.",
            sums.used_bytes,
        ),
        (
            "strongroom_jobs_unfinished",
            "Jobs that wait or run.",
            sums.jobs_unfinished,
        ),
        (
            "strongroom_audit_records",
            "Records of the audit trail.",
            sums.audit_records,
        ),
        (
            "strongroom_notifications_waiting",
            "Notifications that are still to be told.",
            waiting,
        ),
    ] {
        page.gauge(name, help);
        page.value(&[], value);
    }
    checks(page, control)?;
    page.counter(
        "strongroom_round_panics_total",
        "Rounds that panicked; the thread went on with the next.",
    );
    let panics = control.panics();
    for name in ["courier", "scheduler", "upkeep", "verification", "watchdog"] {
        let count = panics.get(name).copied().unwrap_or_default();
        page.value(&[("round", &name)], count);
    }
    let Some(round) = control.last_round() else {
        return Ok(());
    };
    page.gauge(
        "strongroom_watchdog_last_round_timestamp_seconds",
        "When the watchdog last looked.",
    );
    page.value(&[], round.at.as_seconds());
    page.gauge(
        "strongroom_resources",
        "Resources in vaults by how they stand.",
    );
    for (state, count) in &round.resources {
        page.value(&[("state", &state.as_str())], *count);
    }
    page.gauge("strongroom_alarms", "Alarms that hold.");
    for (kind, count) in &round.alarms {
        page.value(&[("kind", &kind.as_str())], *count);
    }
    if let Some(seconds) = round.oldest_good_seconds {
        page.gauge(
            "strongroom_oldest_good_backup_age_seconds",
            "The age of the newest good backup of the resource that is worst off.",
        );
        page.value(&[], seconds);
    }
    Ok(())
}

fn checks(page: &mut Page, control: &Control) -> Result<()> {
    let checks = control.check_sums()?;
    for (name, help, value) in [
        (
            "strongroom_verified_packs",
            "Packs that were read again, over all rounds.",
            checks.packs,
        ),
        ("strongroom_verified_bytes", "Their bytes.", checks.bytes),
        (
            "strongroom_healed",
            "Damages that checks healed.",
            checks.healed,
        ),
        (
            "strongroom_damaged_backups",
            "Backups of which a check says that something is lost.",
            checks.damaged_backups,
        ),
    ] {
        page.gauge(name, help);
        page.value(&[], value);
    }
    Ok(())
}

/// A page in Prometheus' text format; values follow the head that they belong to.
struct Page(String);

impl Page {
    fn gauge(&mut self, name: &str, help: &str) {
        self.head(name, help, "gauge");
    }

    fn counter(&mut self, name: &str, help: &str) {
        self.head(name, help, "counter");
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        // Writing to a text cannot fail.
        let _ = write!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    /// A value of the metric whose head was written last.
    fn value(&mut self, labels: &[(&str, &dyn Display)], value: impl Display) {
        let head = self.0.rfind("# TYPE ").map_or(0, |place| place + 7);
        let name = self.0[head..]
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_owned();
        let labels: Vec<_> = labels
            .iter()
            .map(|(label, text)| format!("{label}=\"{text}\""))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

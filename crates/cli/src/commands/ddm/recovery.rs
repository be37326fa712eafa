//! Points in time: copies of data nodes, their logs, which times there are, and going back.

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use strongroom_wire::{
    Empty,
    ddm::{
        InstancePath, Limit, ListAvailableRds, LongLimit, LongPageQuery, Millis, PageQuery,
        Restore2Exist, ShowAvalibleTime,
        node::AvailableDataNode,
        restore::{
            DataNodeRelation, RecoverRequest, RecoverySource, RecoveryTarget, RestorableTimesReply,
        },
    },
    native::{
        ArchiveLogs, CopyDataNodes, ListCopies, ShowTopology,
        database::{Copies, InstancePath as NativePath, Logs, TopologyReply},
    },
    query::{NoQuery, Offset},
};

use super::{find, wait};
use crate::{
    connection::Connection,
    output::{Output, table},
};

fn native(connection: &Connection, word: &str) -> Result<NativePath> {
    Ok(NativePath {
        instance_id: id_of(connection, word)?,
    })
}

/// The id of an instance; one that is gone is known by its id alone.
fn id_of(connection: &Connection, word: &str) -> Result<String> {
    if word.len() == 36 && word.ends_with("in09") {
        return Ok(word.to_owned());
    }
    Ok(find(connection, word)?.id)
}

fn path(connection: &Connection, id: String) -> InstancePath {
    InstancePath {
        project_id: connection.project().to_owned(),
        instance_id: id,
    }
}

pub(super) fn copy(connection: &Connection, output: Output, word: &str) -> Result<()> {
    let begun = connection
        .call::<CopyDataNodes>(native(connection, word)?, NoQuery, Empty)
        .with_context(|| format!("cannot copy the data nodes of {word}"))?;
    for copy in &begun.copies {
        wait(connection, output, &format!("copying {word}"), &copy.job_id)?;
    }
    output.show(&begun, |begun| {
        let ids = begun.copies.iter().map(|copy| copy.copy_id.clone());
        ids.collect::<Vec<_>>().join("\n")
    })
}

pub(super) fn topology(connection: &Connection, output: Output, word: &str) -> Result<()> {
    let found: TopologyReply = connection
        .call::<ShowTopology>(native(connection, word)?, NoQuery, Empty)
        .with_context(|| format!("cannot show the topology of {word}"))?;
    output.show(&found, |found| found.topology.clone())
}

pub(super) fn copies(connection: &Connection, output: Output, word: &str) -> Result<()> {
    let found: Copies = connection
        .call::<ListCopies>(native(connection, word)?, NoQuery, Empty)
        .with_context(|| format!("cannot list the copies of {word}"))?;
    output.show(&found, |found| {
        let rows = found.copies.iter().map(|copy| {
            let from = copy.from.as_ref().map(ToString::to_string);
            let problem = copy.fail_reason.clone();
            [
                copy.id.clone(),
                copy.node_name.clone(),
                copy.status.clone(),
                strongroom_model::Bytes(copy.bytes).to_string(),
                from.or(problem).unwrap_or_else(|| "-".to_owned()),
            ]
        });
        table(
            ["ID", "DATA NODE", "STATUS", "SIZE", "RESTORABLE FROM"],
            rows,
        )
    })
}

pub(super) fn logs(connection: &Connection, output: Output, word: &str) -> Result<()> {
    let found: Logs = connection
        .call::<ArchiveLogs>(native(connection, word)?, NoQuery, Empty)
        .with_context(|| format!("cannot archive the logs of {word}"))?;
    output.show(&found, |found| {
        let rows = found.logs.iter().map(|log| {
            let trouble = log.problem.clone().or_else(|| {
                let gap = log.gap.as_ref()?;
                Some(format!("gap: {gap}"))
            });
            [
                log.name.clone(),
                log.from.to_string(),
                log.until.to_string(),
                trouble.unwrap_or_else(|| "-".to_owned()),
            ]
        });
        table(["SERVER", "WHOLE FROM", "UNTIL", "TROUBLE"], rows)
    })
}

pub(super) fn times(connection: &Connection, output: Output, word: &str) -> Result<()> {
    let query = PageQuery {
        limit: Limit::new(128),
        offset: Some(Offset(0)),
    };
    let path = path(connection, id_of(connection, word)?);
    let found: RestorableTimesReply = connection
        .call::<ShowAvalibleTime>(path, query, Empty)
        .with_context(|| format!("cannot list the times of {word}"))?;
    output.show(&found, |found| {
        let rows = found
            .restorable_time_intervals
            .iter()
            .map(|interval| [time(&interval.start_time), time(&interval.end_time)]);
        table(["FROM", "UNTIL"], rows)
    })
}

/// A time for people, from milliseconds.
fn time(millis: &str) -> String {
    let time = millis.parse().ok().map(Timestamp::from_millisecond);
    match time {
        Some(Ok(time)) => time.to_string(),
        _ => millis.to_owned(),
    }
}

pub(super) fn recover(
    connection: &Connection,
    word: &str,
    (at, to): (&str, &str),
    pairs: &[String],
) -> Result<String> {
    let at: Timestamp = at
        .parse()
        .with_context(|| format!("{at} is no time such as 2026-01-31T23:59:59Z"))?;
    let (source, target) = (id_of(connection, word)?, find(connection, to)?.id);
    let then = then(connection, &source, at)?;
    let there = nodes(connection, &target)?;
    let relations = if pairs.is_empty() {
        if then.len() != there.len() {
            bail!(
                "{word} had {} data nodes, {to} has {}: name them with --data-node WAS=IS",
                then.len(),
                there.len()
            );
        }
        let pairs = then.into_iter().zip(&there);
        pairs
            .map(|((source, _), target)| DataNodeRelation {
                source_instance_id: source,
                target_instance_id: target.id.clone(),
            })
            .collect()
    } else {
        let named = |pair: &String| {
            let (was, is) = pair.split_once('=').context("expected WAS=IS")?;
            let source = then.iter().find(|(id, name)| id == was || name == was);
            let target = there.iter().find(|node| node.id == is || node.name == is);
            Ok(DataNodeRelation {
                source_instance_id: source
                    .with_context(|| format!("{word} had no data node {was}"))?
                    .0
                    .clone(),
                target_instance_id: target
                    .with_context(|| format!("{to} has no data node {is}"))?
                    .id
                    .clone(),
            })
        };
        pairs.iter().map(named).collect::<Result<_>>()?
    };
    let request = RecoverRequest {
        source: RecoverySource {
            restore_time: Millis(at.as_millisecond()),
            instance_id: None,
        },
        target: RecoveryTarget {
            instance_id: target,
        },
        data_node_relations: relations,
    };
    let reply = connection
        .call::<Restore2Exist>(path(connection, source), NoQuery, request)
        .with_context(|| format!("cannot bring {word} back to {at}"))?;
    Ok(reply.job_id)
}

/// The data nodes of an instance as of that time: id and name.
fn then(connection: &Connection, id: &str, at: Timestamp) -> Result<Vec<(String, String)>> {
    let query = strongroom_wire::ddm::restore::RelatedDataNodesQuery {
        restore_time: Some(Millis(at.as_millisecond())),
        offset: None,
        limit: Limit::new(128),
    };
    let reply = connection
        .call::<strongroom_wire::ddm::ShowRelatedDns>(path(connection, id.to_owned()), query, Empty)
        .context("cannot tell the data nodes of that time")?;
    let nodes = reply.related_data_nodes.into_iter();
    Ok(nodes
        .map(|node| (node.instance_id, node.instance_name))
        .collect())
}

fn nodes(connection: &Connection, id: &str) -> Result<Vec<AvailableDataNode>> {
    let query = LongPageQuery {
        limit: LongLimit::new(1024),
        offset: None,
    };
    let reply =
        connection.call::<ListAvailableRds>(path(connection, id.to_owned()), query, Empty)?;
    Ok(reply.data_nodes)
}

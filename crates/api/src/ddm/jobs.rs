//! Jobs: listed and shown.

use strongroom_control::ddm::tasks::Task;
use strongroom_wire::ddm::{
    self as wire,
    job::{JobDetail, JobDetailReply, JobInstance, JobRow, ListJobsReply},
};

use super::words::{offset_of, page, required, time, time_of};
use crate::{
    call::Call,
    cbr::words::{id, shown},
    cloud::Cloud,
    failure::Failure,
};

pub(super) fn list(cloud: &Cloud, call: &Call<wire::ListTasks>) -> Result<ListJobsReply, Failure> {
    let query = &call.query;
    let page = page(query.limit, query.offset);
    let from = required("start_time", query.start_time)?;
    let until = required("end_time", query.end_time)?;
    let listed = cloud
        .control
        .list_tasks(&call.caller()?, time_of(from), time_of(until), &page)?;
    Ok(ListJobsReply {
        offset: offset_of(&page),
        limit: page.limit,
        total: listed.total,
        jobs: listed.items.into_iter().map(row).collect(),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowDdmJobResult>,
) -> Result<JobDetailReply, Failure> {
    let id = id("job_id", &call.path.job_id)?;
    let task = cloud.control.show_task(&call.caller()?, id)?;
    let row = row(task);
    Ok(JobDetailReply {
        job: JobDetail {
            id: row.id,
            name: row.name,
            status: row.status,
            created_time: row.created_time,
            end_time: row.end_time,
            process: row.process,
            instance: JobInstance {
                id: row.instance_id,
                name: row.instance_name,
            },
            fail_reason: row.fail_reason,
        },
    })
}

fn row(task: Task) -> JobRow {
    let end = task.ended_at.map(|ended| time(ended).to_string());
    let process = task.progress.map(|percent| format!("{percent}%"));
    JobRow {
        id: task.id.to_string(),
        name: task.name,
        status: shown(task.status.as_str()),
        created_time: time(task.created_at),
        end_time: end.unwrap_or_default(),
        process: process.unwrap_or_default(),
        instance_name: task.instance_name,
        instance_id: task.instance_id.to_string(),
        operations: Vec::new(),
        database_name: task.database_name.unwrap_or_default(),
        fail_reason: task.fail_reason.unwrap_or_default(),
    }
}

//! Share members: backups shared with other projects, and what those answer.

use strongroom_control::{
    members::{Member, MemberAnswer, MemberFilter, NewMembers},
    words::MemberStatus,
};
use strongroom_wire::{
    Empty,
    cbr::{
        self as wire,
        member::{AddMembersReply, ListMembersReply, MemberReply},
    },
};

use super::{
    pages::page,
    words::{asked_maybe, id, shown, time},
};
use crate::{call::Call, cloud::Cloud, failure::Failure};

pub(super) fn add(cloud: &Cloud, call: &Call<wire::AddMember>) -> Result<AddMembersReply, Failure> {
    let backup = id("backup_id", &call.path.backup_id)?;
    let new = NewMembers {
        projects: call.body.members.clone().unwrap_or_default(),
        domains: call.body.domains.clone().unwrap_or_default(),
    };
    let added = cloud.control.add_members(&call.caller()?, backup, &new)?;
    Ok(AddMembersReply {
        count: Some(added.len() as u64),
        members: added.iter().map(present).collect(),
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ShowMembersDetail>,
) -> Result<ListMembersReply, Failure> {
    let backup = id("backup_id", &call.path.backup_id)?;
    let query = call.query.clone();
    let page = page(query.limit, query.offset, query.marker);
    let filter = MemberFilter {
        dest_project_id: query.dest_project_id,
        image_id: query.image_id,
        status: asked_maybe::<MemberStatus>(query.status)?,
        vault_id: query.vault_id,
        sort: query.sort.as_deref().unwrap_or_default().parse()?,
    };
    let listed = cloud
        .control
        .list_members(&call.caller()?, backup, &filter, &page)?;
    Ok(ListMembersReply {
        members: listed.items.iter().map(present).collect(),
        count: listed.total,
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowMemberDetail>,
) -> Result<MemberReply, Failure> {
    let backup = id("backup_id", &call.path.backup_id)?;
    let member = cloud
        .control
        .show_member(&call.caller()?, backup, &call.path.member_id)?;
    Ok(MemberReply {
        member: present(&member),
    })
}

pub(super) fn answer(
    cloud: &Cloud,
    call: &Call<wire::UpdateMemberStatus>,
) -> Result<MemberReply, Failure> {
    use strongroom_wire::cbr::member::MemberAnswer as Said;
    let backup = id("backup_id", &call.path.backup_id)?;
    let answer = match call.body.status {
        Said::Accepted | Said::Accept => {
            let vault = call.body.vault_id.as_ref().filter(|id| !id.is_empty());
            let missing = || Failure::malformed("vault_id", "is needed to accept a share");
            MemberAnswer::Accept {
                vault: id("vault_id", vault.ok_or_else(missing)?)?,
            }
        }
        Said::Rejected | Said::Reject => MemberAnswer::Reject,
        Said::Pending => {
            let about = strongroom_control::Reason::MemberStatusBad;
            return Err(strongroom_control::Error::conflict(about, "pending").into());
        }
    };
    let member =
        cloud
            .control
            .answer_member(&call.caller()?, backup, &call.path.member_id, &answer)?;
    Ok(MemberReply {
        member: present(&member),
    })
}

pub(super) fn remove(cloud: &Cloud, call: &Call<wire::DeleteMember>) -> Result<Empty, Failure> {
    let backup = id("backup_id", &call.path.backup_id)?;
    cloud
        .control
        .remove_member(&call.caller()?, backup, &call.path.member_id)?;
    Ok(Empty)
}

fn present(member: &Member) -> wire::member::Member {
    wire::member::Member {
        status: shown(member.status.as_str()),
        created_at: time(member.created_at),
        updated_at: member.updated_at.map(time),
        backup_id: member.backup_id.to_string(),
        image_id: None,
        dest_project_id: member.dest_project_id.to_string(),
        vault_id: member.vault_id.map(|id| id.to_string()),
        id: member.id.to_string(),
    }
}

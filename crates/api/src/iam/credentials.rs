//! Access keys: made, listed, shown, switched, ended.

use strongroom_control::identity::{AccessKey, KeyStatus};
use strongroom_model::AccessKeyId;
use strongroom_wire::{
    Empty,
    iam::{
        self as wire,
        credential::{
            CreateCredentialReply, Credential, CredentialReply, CredentialStatus, CredentialsReply,
            NewCredential,
        },
    },
    text::Secret,
    time::IamTime,
};

use crate::{call::Call, cbr::words::id, cloud::Cloud, failure::Failure};

pub(super) fn create(
    cloud: &Cloud,
    call: &Call<wire::CreatePermanentAccessKey>,
) -> Result<CreateCredentialReply, Failure> {
    let asked_for = &call.body.credential;
    let user = id("user_id", &asked_for.user_id)?;
    let description = asked_for.description.clone().unwrap_or_default();
    let new = cloud
        .identity
        .create_key_for(call.session()?, user, &description)?;
    Ok(CreateCredentialReply {
        credential: NewCredential {
            create_time: IamTime::from_micros(new.key.created_at.as_micros()),
            access: new.key.access.0,
            secret: Secret(new.secret.to_string()),
            status: status(new.key.status),
            user_id: new.key.user_id.to_string(),
            description: new.key.description,
        },
    })
}

pub(super) fn list(
    cloud: &Cloud,
    call: &Call<wire::ListPermanentAccessKeys>,
) -> Result<CredentialsReply, Failure> {
    let session = call.session()?;
    let user = match &call.query.user_id {
        Some(text) => id("user_id", text)?,
        None => session.user.id,
    };
    let keys = cloud.identity.list_keys(session, user)?;
    // The document's list has no time of use.
    let unused = |key: AccessKey| AccessKey {
        last_used_at: None,
        ..key
    };
    Ok(CredentialsReply {
        credentials: keys.into_iter().map(unused).map(present).collect(),
    })
}

pub(super) fn show(
    cloud: &Cloud,
    call: &Call<wire::ShowPermanentAccessKey>,
) -> Result<CredentialReply, Failure> {
    let key = cloud
        .identity
        .show_key(call.session()?, &access(&call.path))?;
    Ok(CredentialReply {
        credential: present(key),
    })
}

pub(super) fn update(
    cloud: &Cloud,
    call: &Call<wire::UpdatePermanentAccessKey>,
) -> Result<CredentialReply, Failure> {
    let change = call.body.credential.clone();
    let wanted = change.status.map(|status| match status {
        CredentialStatus::Active => KeyStatus::Active,
        CredentialStatus::Inactive => KeyStatus::Inactive,
    });
    let access = access(&call.path);
    let key = cloud
        .identity
        .update_key(call.session()?, &access, wanted, change.description)?;
    Ok(CredentialReply {
        credential: present(AccessKey {
            last_used_at: None,
            ..key
        }),
    })
}

pub(super) fn delete(
    cloud: &Cloud,
    call: &Call<wire::DeletePermanentAccessKey>,
) -> Result<Empty, Failure> {
    cloud
        .identity
        .delete_key(call.session()?, &access(&call.path))?;
    Ok(Empty)
}

fn access(path: &wire::CredentialPath) -> AccessKeyId {
    AccessKeyId(path.access_key.clone())
}

const fn status(status: KeyStatus) -> CredentialStatus {
    match status {
        KeyStatus::Active => CredentialStatus::Active,
        KeyStatus::Inactive => CredentialStatus::Inactive,
    }
}

fn present(key: AccessKey) -> Credential {
    Credential {
        user_id: key.user_id.to_string(),
        access: key.access.0,
        status: status(key.status),
        create_time: IamTime::from_micros(key.created_at.as_micros()),
        last_use_time: key
            .last_used_at
            .map(|time| IamTime::from_micros(time.as_micros())),
        description: key.description,
    }
}

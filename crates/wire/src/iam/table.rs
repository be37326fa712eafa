//! The operations of identity that clients of the backup services need.
//!
//! One declaration stands for the four documents of `POST /v3/auth/tokens`: which of them a
//! request follows is told by its `methods`.

use super::{
    CredentialPath, ProjectPath, UserPath,
    caller::CallerIdentityReply,
    catalog::CatalogReply,
    credential::{
        CreateCredentialReply, CreateCredentialRequest, CredentialReply, CredentialsReply,
        ListCredentialsQuery, UpdateCredentialRequest,
    },
    domain::{DomainsReply, ListDomainsQuery},
    project::{ListProjectsQuery, ProjectReply, ProjectsReply},
    token::{CreateTokenRequest, TokenQuery, TokenReply},
    version::{VersionReply, VersionsReply},
};
use crate::{operation::Empty, path::NoPath, query::NoQuery};

operations! { Iam;
    /// Querying the Versions
    KeystoneListVersions: Get "/", public "iam:versions:list", 300,
        working(NoPath, NoQuery, Empty) -> VersionsReply;

    /// Querying Version 3
    KeystoneShowVersion: Get "/v3", public "iam:versions:get", 200,
        working(NoPath, NoQuery, Empty) -> VersionReply;

    /// Obtaining a Token
    KeystoneCreateUserTokenByPassword: Post "/v3/auth/tokens", public "iam:tokens:create", 201,
        working(NoPath, TokenQuery, CreateTokenRequest) -> TokenReply;

    /// Validating a Token
    KeystoneValidateToken: Get "/v3/auth/tokens", "iam:tokens:get", 200,
        working(NoPath, TokenQuery, Empty) -> TokenReply;

    /// Checking a Token
    KeystoneCheckToken: Head "/v3/auth/tokens", "iam:tokens:get", 200,
        working(NoPath, NoQuery, Empty) -> Empty;

    /// Revoking a Token
    KeystoneRevokeToken: Delete "/v3/auth/tokens", "iam:tokens:delete", 204,
        working(NoPath, NoQuery, Empty) -> Empty;

    /// Querying Projects
    KeystoneListProjects: Get "/v3/projects", "iam:projects:list", 200,
        working(NoPath, ListProjectsQuery, Empty) -> ProjectsReply;

    /// Querying a Specified Project
    KeystoneShowProject: Get "/v3/projects/{project_id}", "iam:projects:get", 200,
        working(ProjectPath, NoQuery, Empty) -> ProjectReply;

    /// Querying the Projects of a User
    KeystoneListProjectsForUser: Get "/v3/users/{user_id}/projects",
        "iam:projects:listForUser", 200,
        working(UserPath, NoQuery, Empty) -> ProjectsReply;

    /// Querying the Projects that the Caller May Enter
    KeystoneListAuthProjects: Get "/v3/auth/projects", "iam:auth:listProjects", 200,
        working(NoPath, NoQuery, Empty) -> ProjectsReply;

    /// Querying the Accounts that the Caller May Enter
    KeystoneListAuthDomains: Get "/v3/auth/domains", "iam:auth:listDomains", 200,
        working(NoPath, ListDomainsQuery, Empty) -> DomainsReply;

    /// Querying the Service Catalogue
    KeystoneShowCatalog: Get "/v3/auth/catalog", "iam:auth:getCatalog", 200,
        working(NoPath, NoQuery, Empty) -> CatalogReply;

    /// Creating an Access Key
    CreatePermanentAccessKey: Post "/v3.0/OS-CREDENTIAL/credentials", "iam:credentials:create", 201,
        working(NoPath, NoQuery, CreateCredentialRequest) -> CreateCredentialReply;

    /// Querying Access Keys
    ListPermanentAccessKeys: Get "/v3.0/OS-CREDENTIAL/credentials", "iam:credentials:list", 200,
        working(NoPath, ListCredentialsQuery, Empty) -> CredentialsReply;

    /// Querying a Specified Access Key
    ShowPermanentAccessKey: Get "/v3.0/OS-CREDENTIAL/credentials/{access_key}",
        "iam:credentials:get", 200,
        working(CredentialPath, NoQuery, Empty) -> CredentialReply;

    /// Modifying an Access Key
    UpdatePermanentAccessKey: Put "/v3.0/OS-CREDENTIAL/credentials/{access_key}",
        "iam:credentials:update", 200,
        working(CredentialPath, NoQuery, UpdateCredentialRequest) -> CredentialReply;

    /// Deleting an Access Key
    DeletePermanentAccessKey: Delete "/v3.0/OS-CREDENTIAL/credentials/{access_key}",
        "iam:credentials:delete", 204,
        working(CredentialPath, NoQuery, Empty) -> Empty;

    /// Querying the Caller
    ShowCallerIdentity: Get "/v5/caller-identity", "iam:caller:get", 200,
        working(NoPath, NoQuery, Empty) -> CallerIdentityReply;
}

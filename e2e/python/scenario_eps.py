"""Every operation of enterprise projects through the vendor's unmodified SDK (huaweicloudsdkeps).

  scenario_eps.py --data-dir DIR --volume ID PATH

Signed with the access key of the first start's operator, whose account the SDK names. At the end
the SDK's own client class says which operations it has, and each must have been called.
"""
import argparse

from huaweicloudsdkcbr.v1 import (
    BillingCreate, CbrClient, CreateVaultRequest, DeleteVaultRequest, ListVaultRequest, VaultCreate,
    VaultCreateReq,
)
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkeps import v1 as eps

from service import Service, check, wait_for


class Counted:
    """The SDK's client, and which of its operations were called."""

    def __init__(self, client):
        self.client, self.called = client, set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.client, name)


def refused(code, call):
    try:
        call()
    except ClientRequestException as refusal:
        check(refusal.error_code == code, f"wanted {code}, got {refusal}")
        return
    raise AssertionError(f"wanted a refusal with {code}")


def clients(service):
    config = HttpConfig.get_default_config()
    if service.ca_file:
        config.ssl_ca_cert = service.ca_file
    admin = service.admin
    keys = (admin["access_key"], admin["secret_key"])
    account = GlobalCredentials(*keys, admin["domain_id"])
    project = BasicCredentials(*keys, admin["project_id"])

    def build(kind, credentials, origin):
        return (kind.new_builder().with_http_config(config).with_credentials(credentials)
                .with_endpoint(service.origin(origin)).build())

    return (Counted(build(eps.EpsClient, account, "eps")),
            build(CbrClient, project, "cbr"))


def labels(client):
    versions = client.list_api_versions(eps.ListApiVersionsRequest()).versions
    check([v.id for v in versions] == ["v1.0"], f"{versions}")
    version = client.show_api_version(eps.ShowApiVersionRequest(api_version="v1.0")).version
    check(version.status == "CURRENT", f"{version}")
    support = client.show_ep_configs(eps.ShowEpConfigsRequest()).support_item
    check(support.delete_ep_support == "true", f"{support}")
    made = []
    for name in ("sdk-one", "sdk-two"):
        body = eps.EnterpriseProject(name=name, description="made by the SDK", type="prod")
        reply = client.create_enterprise_project(eps.CreateEnterpriseProjectRequest(body=body))
        check(reply.enterprise_project.status == 1, f"{reply}")
        made.append(reply.enterprise_project.id)
    one, two = made
    changed = client.update_enterprise_project(eps.UpdateEnterpriseProjectRequest(
        enterprise_project_id=two, body=eps.EnterpriseProject(name="sdk-renamed")))
    shown = client.show_enterprise_project(
        eps.ShowEnterpriseProjectRequest(enterprise_project_id=two))
    check(shown.enterprise_project.to_dict() == changed.enterprise_project.to_dict(), f"{shown}")
    listed = client.list_enterprise_project(
        eps.ListEnterpriseProjectRequest(name="sdk", sort_dir="asc", sort_key="created_at"))
    check([p.id for p in listed.enterprise_projects] == made, f"{listed}")
    check(listed.total_count == 2, f"{listed}")
    quotas = client.show_enterprise_project_quota(eps.ShowEnterpriseProjectQuotaRequest()).quotas
    check(quotas.resources[0].used == 2, f"{quotas}")
    client.disable_enterprise_project(eps.DisableEnterpriseProjectRequest(
        enterprise_project_id=two, body=eps.DisableAction(action="disable")))
    shown = client.show_enterprise_project(
        eps.ShowEnterpriseProjectRequest(enterprise_project_id=two))
    check(shown.enterprise_project.status == 2, f"{shown}")
    client.enable_enterprise_project(eps.EnableEnterpriseProjectRequest(
        enterprise_project_id=two, body=eps.EnableAction(action="enable")))
    return one, two


def resources(service, client, cbr, one, two):
    providers = client.list_providers(eps.ListProvidersRequest(locale="en-us"))
    check([p.provider for p in providers.providers] == ["cbr"], f"{providers}")
    mapping = client.list_resource_mapping(eps.ListResourceMappingRequest()).resource_mapping
    check(mapping == {"vault": "cbr"}, f"{mapping}")
    billing = BillingCreate(consistent_level="crash_consistent", object_type="disk",
                            protect_type="backup", size=100)
    vault = cbr.create_vault(CreateVaultRequest(body=VaultCreateReq(vault=VaultCreate(
        name="labelled", billing=billing, resources=[], enterprise_project_id=one)))).vault
    check(vault.enterprise_project_id == one, f"{vault}")
    project = service.admin["project_id"]
    client.migrate_resource(eps.MigrateResourceRequest(
        enterprise_project_id=two, body=eps.MigrateResource(
            resource_id=vault.id, resource_type="vault", project_id=project,
            region_id=service.region, associated=False)))
    for label, count in ((one, 0), (two, 1)):
        found = cbr.list_vault(ListVaultRequest(enterprise_project_id=label))
        check(found.count == count, f"{label}: {found}")
        bound = client.show_resource_bind_enterprise_project(
            eps.ShowResourceBindEnterpriseProjectRequest(
                enterprise_project_id=label, body=eps.ResqEpResouce(
                    projects=[project], resource_types=["vault"],
                    matches=[eps.Match(key="resource_name", value="label")])))
        check(bound.total_count == count == len(bound.resources), f"{label}: {bound}")
    records = client.list_migration_record(
        eps.ListMigrationRecordRequest(resource_id=vault.id)).records
    check([(r.origin_ep_id, r.target_ep_id) for r in records] == [(one, two)], f"{records}")
    associated = client.show_associated_resources(eps.ShowAssociatedResourcesRequest(
        resource_id=vault.id, project_id=project, region_id=service.region,
        resource_type="vault"))
    check(associated.name == "labelled" and associated.associated_resources == [],
          f"{associated}")
    refused("EPS.0041", lambda: client.delete_enterprise_project(
        eps.DeleteEnterpriseProjectRequest(enterprise_project_id=two)))
    cbr.delete_vault(DeleteVaultRequest(vault_id=vault.id))
    wait_for("vault deletion", lambda: cbr.list_vault(ListVaultRequest()).count,
             lambda count: count == 0)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", required=True)
    options.add_argument("--volume", nargs=2, metavar=("ID", "PATH"))
    service = Service(options.parse_args().data_dir)
    client, cbr = clients(service)
    one, two = labels(client)
    resources(service, client, cbr, one, two)
    for label in (one, two):
        client.delete_enterprise_project(
            eps.DeleteEnterpriseProjectRequest(enterprise_project_id=label))
    refused("EPS.0005", lambda: client.show_enterprise_project(
        eps.ShowEnterpriseProjectRequest(enterprise_project_id=one)))
    has = {name for name in vars(eps.EpsClient)
           if not name.startswith("_") and not name.endswith("_invoker")
           and name not in ("call_api", "new_builder") and not name.endswith("_http_info")}
    missed = sorted(has - client.called)
    check(not missed, f"never called: {missed}")
    print(f"scenario_eps: all {len(has)} operations of the SDK were called")


if __name__ == "__main__":
    main()

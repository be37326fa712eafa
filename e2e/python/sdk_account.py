"""The operations of the vendor's SDK beside the story of one backup: what concerns an account, its
agents, its orders, its shares, and everything else that is called at least once.

Part of scenario_sdk.py. Every reply is deserialised by the SDK itself; what is said here is only
what a reply must mean.
"""
from huaweicloudsdkcbr.v1 import (
    AddAgentPathRequest, AddMemberRequest, AddMembersReq, AgentAddPathReq, AgentRegister,
    AgentRegisterReq, AgentRemovePathReq, AgentUpdate, AgentUpdateReq, BackupSync,
    BackupSyncReq, BatchCreateAndDeleteVaultTagsRequest, BatchUpdateVaultRequest,
    BatchUpdateVaultRequestBody, BulkCreateAndDeleteTags, BulkCreateAndDeleteVaultTagsReq,
    CbcOrderChange, CbcProductInfoOrderChange, CbcProductInfoUpdate, CbcUpdate,
    ChangeOrderRequest, ChangeToPeriod, ChangeVaultChargeModeRequest, CheckAgentRequest,
    CreatePostPaidVaultRequest, DeleteMemberRequest, DomainMigrate, ImportBackupRequest,
    ImportCheckpointRequest, ListAgentRequest, ListDomainProjectsRequest, ListFeaturesRequest,
    ListProjectsRequest, MigrateDomainRequest, MigrateVaultResourceRequest,
    PrePaidBillingCreate, PrePaidVaultOrder, ProtectableAgentReq,
    ProtectableAgentStatusResource, RegisterAgentRequest, RemoveAgentPathRequest,
    ShowAgentRequest, ShowDomainRequest, ShowFeatureRequest, ShowMemberDetailRequest,
    ShowMembersDetailRequest, ShowMigrateStatusRequest, ShowVaultRequest,
    ShowVaultResourceInstancesRequest, ShowVaultTagRequest, SyncParam, SyncReq,
    UnregisterAgentRequest, UpdateAgentRequest, UpdateMember, UpdateMemberStatusRequest,
    UpdateOrderRequest, VaultBatchUpdate, VaultMigrateResourceReq, VaultOrderCreateReqs,
    VaultResourceInstancesReq,
)

from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException

from service import check

MISSING = "00000000-0000-4000-8000-000000000000"


def account(s, vault, backup, resource):
    """Everything beside the story, with what that story made."""
    agents(s.cbr)
    projects(s)
    tags(s.cbr, vault)
    members(s, backup)
    orders(s, vault)
    places(s, vault, resource)


def refused(call):
    """A refusal in the service's own words, whichever."""
    try:
        call()
    except ClientRequestException as refusal:
        check(refusal.error_code.startswith("BackupService."), f"{refusal}")
        return
    raise AssertionError("wanted a refusal")


def agents(cbr):
    agent = "7b0c1c2d-0000-4000-8000-00000000a9e7"
    made = cbr.register_agent(RegisterAgentRequest(body=AgentRegisterReq(agent=AgentRegister(
        agent_id=agent, host_name="db", host_ip="192.0.2.7", host_os="linux",
        host_nickname="database", agent_version="1.0.0", agent_type="native"))))
    check(made is not None, "an agent was registered")
    cbr.add_agent_path(AddAgentPathRequest(
        agent_id=agent, body=AgentAddPathReq(add_path=["/srv/db"])))
    shown = cbr.show_agent(ShowAgentRequest(agent_id=agent))
    check("/srv/db" in str(shown), f"{shown}")
    cbr.update_agent(UpdateAgentRequest(
        agent_id=agent, body=AgentUpdateReq(agent=AgentUpdate(status="uninstall"))))
    cbr.remove_agent_path(RemoveAgentPathRequest(
        agent_id=agent, body=AgentRemovePathReq(remove_path=["/srv/db"])))
    listed = cbr.list_agent(ListAgentRequest())
    check(agent in str(listed), f"{listed}")
    cbr.unregister_agent(UnregisterAgentRequest(agent_id=agent))
    check(agent not in str(cbr.list_agent(ListAgentRequest())), "the agent is gone")


def projects(s):
    check(s.cbr.list_features(ListFeaturesRequest()) is not None, "features")
    s.refused("BackupService.9900",
              lambda: s.cbr.show_feature(ShowFeatureRequest(feature_key="nonsense")))
    listed = s.cbr.list_projects(ListProjectsRequest())
    check(s.service.admin["project_id"] in str(listed), f"{listed}")
    s.cbr.list_domain_projects(ListDomainProjectsRequest(domain_name=s.service.admin["domain"]))
    s.cbr.show_domain(ShowDomainRequest(source_project_id=s.service.admin["project_id"]))
    s.cbr.migrate_domain(MigrateDomainRequest(body=DomainMigrate(
        all_regions=False, reservation=0)))
    s.cbr.show_migrate_status(ShowMigrateStatusRequest(all_regions=False))


def tags(cbr, vault):
    def change(action):
        cbr.batch_create_and_delete_vault_tags(BatchCreateAndDeleteVaultTagsRequest(
            vault_id=vault, body=BulkCreateAndDeleteVaultTagsReq(
                action=action, tags=[BulkCreateAndDeleteTags(key="stage", value="test")])))

    change("create")
    found = cbr.show_vault_resource_instances(ShowVaultResourceInstancesRequest(
        body=VaultResourceInstancesReq(action="filter")))
    check(vault in str(found), f"{found}")
    change("delete")
    check(not cbr.show_vault_tag(ShowVaultTagRequest(vault_id=vault)).tags, "no tag is left")


def members(s, backup):
    s.refused("BackupService.6704", lambda: s.cbr.add_member(AddMemberRequest(
        backup_id=backup, body=AddMembersReq(members=["nonsense"]))))
    listed = s.cbr.show_members_detail(ShowMembersDetailRequest(backup_id=backup))
    check(not listed.members, f"{listed}")
    for call in (
        lambda: s.cbr.show_member_detail(ShowMemberDetailRequest(
            backup_id=backup, member_id=MISSING)),
        lambda: s.cbr.update_member_status(UpdateMemberStatusRequest(
            backup_id=backup, member_id=MISSING, body=UpdateMember(status="rejected"))),
        lambda: s.cbr.delete_member(DeleteMemberRequest(backup_id=backup, member_id=MISSING)),
    ):
        refused(call)


def orders(s, vault):
    size = s.cbr.show_vault(ShowVaultRequest(vault_id=vault)).vault.billing.size
    bought = s.cbr.change_order(ChangeOrderRequest(body=CbcOrderChange(
        cloud_service_console_url="", resource_id=vault, is_auto_pay=True,
        product_info=CbcProductInfoOrderChange(
            product_id="", resource_size=size + 10, resource_spec_code="vault.backup.turbo.normal",
            resource_size_measure_id=17))))
    check(bought.order_id, f"{bought}")
    s.cbr.update_order(UpdateOrderRequest(order_id=bought.order_id, body=CbcUpdate(
        cloud_service_console_url="", resource_id=vault, product_info=CbcProductInfoUpdate(
            product_id="", resource_size=size + 20, resource_spec_code="vault.backup.turbo.normal",
            resource_size_measure_id=17))))
    shown = s.cbr.show_vault(ShowVaultRequest(vault_id=vault)).vault
    check(shown.billing.size == size + 20, f"{shown}")
    bought = s.cbr.create_post_paid_vault(CreatePostPaidVaultRequest(body=VaultOrderCreateReqs(
        vault=PrePaidVaultOrder(
            name="sdk-ordered", resources=[], billing=PrePaidBillingCreate(
                cloud_type="public", consistent_level="crash_consistent", object_type="turbo",
                protect_type="backup", size=100, charging_mode="pre_paid", period_type="month",
                period_num=1, is_auto_renew=False, is_auto_pay=True, console_url="")))))
    check(bought is not None, "a vault was ordered")
    s.cbr.change_vault_charge_mode(ChangeVaultChargeModeRequest(body=ChangeToPeriod(
        charging_mode="pre_paid", period_type="month", period_num=1, is_auto_renew=False,
        is_auto_pay=True, console_url="", vault_ids=[vault])))


def places(s, vault, resource):
    s.cbr.batch_update_vault(BatchUpdateVaultRequest(
        body=BatchUpdateVaultRequestBody(
            vault=VaultBatchUpdate(smn_notify=False, threshold=70))))
    check(s.cbr.show_vault(ShowVaultRequest(vault_id=vault)).vault.threshold == 70, "threshold")
    s.cbr.check_agent(CheckAgentRequest(body=ProtectableAgentReq(agent_status=[
        ProtectableAgentStatusResource(
            resource_id=resource, resource_name="share", resource_type="OS::Sfs::Turbo")])))
    other = s.vault("sdk-other", "turbo")
    for origin, target in ((vault, other), (other, vault)):
        s.cbr.migrate_vault_resource(MigrateVaultResourceRequest(
            vault_id=origin, body=VaultMigrateResourceReq(
                destination_vault_id=target, resource_ids=[resource])))
    refused(lambda: s.cbr.import_backup(ImportBackupRequest(body=BackupSyncReq(sync=[BackupSync(
        backup_id=MISSING, backup_name="a", bucket_name="nowhere", image_path="a",
        resource_id=resource, resource_name="share", resource_type="OS::Sfs::Turbo",
        created_at=1_700_000_000)]))))
    s.cbr.import_checkpoint(ImportCheckpointRequest(body=SyncReq(sync=SyncParam(
        vault_id=vault, auto_trigger=False))))

"""The issue's whole scenario through the vendor's unmodified SDK (huaweicloudsdkcbr, -iam).

  scenario_sdk.py --data-dir DIR --share ID PATH --volume ID PATH

Signed with access keys; the project is found by region name, as the SDK does by itself. The
resources were registered by an operator before; everything else happens here: vaults, restore
points, incremental backups, changes to the data, restores in place compared byte for byte,
tags, logs, usage, refusals with the documented codes, deletion.
"""
import argparse
import os
import pathlib

from huaweicloudsdkcbr.v1 import (
    AddVaultResourceRequest, AssociateVaultPolicyRequest, BackupReplicateReq,
    BackupReplicateReqBody, BackupRestore, BackupRestoreReq,
    BackupUpdate, BackupUpdateReq, BillingCreate, BillingUpdate, CbrClient, CheckpointParam,
    CheckpointReplicateParam, CheckpointReplicateReq, CopyBackupRequest, CopyCheckpointRequest,
    CreateCheckpointRequest, CreateOrganizationPolicyRequest, CreatePolicyRequest,
    CreateVaultRequest, CreateVaultTagsRequest, DeleteBackupRequest,
    DeleteOrganizationPolicyRequest, DeletePolicyRequest, DeleteVaultRequest,
    DeleteVaultTagRequest, DisassociateVaultPolicyRequest, ListBackupsRequest,
    ListExternalVaultRequest, ListOpLogsRequest, ListOrganizationPoliciesRequest,
    ListOrganizationPolicyDetailRequest, ListPoliciesRequest, ListProtectableRequest,
    ListVaultRequest, OrganizationPolicyCreate, OrganizationPolicyCreateReq,
    OrganizationPolicyUpdate, OrganizationPolicyUpdateReq, PolicyCreate, PolicyCreateReq,
    PolicyTriggerPropertiesReq, PolicyTriggerPropertiesUpdateReq, PolicyTriggerReq,
    PolicyTriggerUpdateReq, PolicyUpdate, PolicyUpdateReq, PolicyoODCreate,
    RemoveVaultResourceRequest, ResourceCreate, RestoreBackupRequest, SetVaultResourceRequest,
    ShowBackupRequest, ShowCheckpointRequest, ShowMetadataRequest, ShowOpLogRequest,
    ShowOrganizationPolicyRequest, ShowPolicyRequest, ShowProtectableRequest,
    ShowReplicationCapabilitiesRequest,
    ShowStorageUsageRequest, ShowSummaryRequest,
    ShowVaultProjectTagRequest, ShowVaultRequest, ShowVaultTagRequest, Tag, UpdateBackupRequest,
    UpdateExpirationTimeReq, UpdateExpirationTimeRequest, UpdateOrganizationPolicyRequest,
    UpdatePolicyRequest,
    UpdateVaultRequest, VaultAddResourceReq, VaultAssociate, VaultBackup,
    VaultBackupReq, VaultCreate, VaultCreateReq, VaultDissociate, VaultRemoveResourceReq,
    VaultSetResourceReq, VaultTagsCreateReq, VaultUpdate, VaultUpdateReq,
)
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkiam.v3 import IamClient, KeystoneListProjectsRequest

from sdk_account import account
from service import Service, check, fingerprint, wait_for

SHARE, VOLUME = "OS::Sfs::Turbo", "OS::Cinder::Volume"


class Scenario:
    def __init__(self, service):
        self.service = service
        admin = service.admin
        self.config = HttpConfig.get_default_config()
        if service.ca_file:
            self.config.ssl_ca_cert = service.ca_file
        keys = (admin["access_key"], admin["secret_key"])
        # No project id: the SDK must find the one project whose name is the region's.
        regional = BasicCredentials(*keys).with_iam_endpoint(service.origin("identity"))
        self.cbr = (
            CbrClient.new_builder().with_http_config(self.config).with_credentials(regional)
            .with_region(Region(service.region, service.origin("cbr"))).build()
        )
        account = GlobalCredentials(*keys, admin["domain_id"])
        self.iam = (
            IamClient.new_builder().with_http_config(self.config).with_credentials(account)
            .with_endpoint(service.origin("identity")).build()
        )

    # -- steps ---------------------------------------------------------------------------

    def identity(self):
        found = self.iam.keystone_list_projects(
            KeystoneListProjectsRequest(name=self.service.region))
        check([p.id for p in found.projects] == [self.service.admin["project_id"]],
              f"projects by name: {found}")

    def protectables(self, kind, resource):
        listed = self.cbr.list_protectable(ListProtectableRequest(protectable_type=kind, limit=50))
        check(resource in [i.id for i in listed.instances], f"{kind} {resource} not protectable")
        shown = self.cbr.show_protectable(
            ShowProtectableRequest(protectable_type=kind, instance_id=resource))
        check(shown.instance.id == resource, "ShowProtectable shows another instance")

    def vault(self, name, object_type):
        billing = BillingCreate(consistent_level="crash_consistent", object_type=object_type,
                                protect_type="backup", size=100)
        made = self.cbr.create_vault(CreateVaultRequest(body=VaultCreateReq(vault=VaultCreate(
            name=name, billing=billing, resources=[], description="made by the SDK"))))
        check(made.vault.billing.status == "available", f"a new vault is available: {made}")
        return made.vault.id

    def add(self, vault, resource, kind):
        reply = self.cbr.add_vault_resource(AddVaultResourceRequest(
            vault_id=vault,
            body=VaultAddResourceReq(resources=[ResourceCreate(id=resource, type=kind)])))
        check(reply.add_resource_ids == [resource], f"added: {reply}")
        shown = self.cbr.show_vault(ShowVaultRequest(vault_id=vault)).vault
        check([r.id for r in shown.resources] == [resource], f"vault after adding: {shown}")

    def checkpoint(self, vault, name, incremental=True):
        body = VaultBackupReq(checkpoint=VaultBackup(
            vault_id=vault, parameters=CheckpointParam(name=name, incremental=incremental)))
        made = self.cbr.create_checkpoint(CreateCheckpointRequest(body=body)).checkpoint
        check(not made.vault.skipped_resources, f"nothing is skipped: {made}")

        def look():
            return self.cbr.show_checkpoint(ShowCheckpointRequest(checkpoint_id=made.id)).checkpoint

        done = wait_for(f"checkpoint {name}", look, lambda c: c.status in ("available", "error"))
        check(done.status == "available", f"checkpoint {name}: {done}")
        check(all(r.protect_status == "available" for r in done.vault.resources), f"{done}")
        backups = self.cbr.list_backups(ListBackupsRequest(checkpoint_id=made.id)).backups
        check(len(backups) == 1, f"backups of checkpoint {name}: {backups}")
        return backups[0]

    def show(self, backup):
        shown = self.cbr.show_backup(ShowBackupRequest(backup_id=backup.id)).backup
        for field in ("id", "name", "resource_id", "resource_type", "vault_id", "checkpoint_id"):
            check(getattr(shown, field) == getattr(backup, field), f"{field} differs: {shown}")
        check(shown.status == "available" and shown.image_type == "backup", f"{shown}")
        check(isinstance(shown.resource_size, int) and shown.resource_size >= 1, f"{shown}")
        check(shown.children == [], f"{shown}")

    def restore(self, backup, **target):
        reply = self.cbr.restore_backup(RestoreBackupRequest(
            backup_id=backup.id, body=BackupRestoreReq(restore=BackupRestore(**target))))
        job = reply.to_dict().get("job_id") or self.running_restore(backup)

        def look():
            return self.cbr.show_op_log(ShowOpLogRequest(operation_log_id=job)).operation_log

        log = wait_for("restore", look, lambda l: l.status not in ("waiting", "running"))
        check(log.status == "success", f"restore: {log}")
        check(log.operation_type == "restore", f"{log}")

    def running_restore(self, backup):
        """The SDK's reply type has no job_id (documents have none), so look it up as users do."""
        logs = self.cbr.list_op_logs(ListOpLogsRequest(
            operation_type="restore", resource_id=backup.resource_id)).operation_logs
        return max(logs, key=lambda log: log.created_at).id

    def refused(self, code, call):
        try:
            call()
        except ClientRequestException as refusal:
            check(refusal.error_code == code, f"wanted {code}, got {refusal}")
            check(refusal.request_id, "a refusal names its request")
            return
        raise AssertionError(f"wanted a refusal with {code}")

    def paging(self, count):
        seen, offset = [], 0
        while True:
            page = self.cbr.list_backups(ListBackupsRequest(limit=1, offset=offset))
            if not page.backups:
                break
            seen += [b.id for b in page.backups]
            offset += len(page.backups)
        check(len(seen) == len(set(seen)) == count == page.count, f"paging: {seen}, {page.count}")

    def policies(self, vault, resource):
        nightly = "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=22;BYMINUTE=00"
        keeps = PolicyoODCreate(max_backups=30, day_backups=7, timezone="UTC+08:00")
        made = self.cbr.create_policy(CreatePolicyRequest(body=PolicyCreateReq(
            policy=PolicyCreate(
                name="sdk_policy", operation_type="backup", operation_definition=keeps,
                trigger=PolicyTriggerReq(properties=PolicyTriggerPropertiesReq(
                    pattern=[nightly]))))))
        policy = made.policy.id
        check(made.policy.enabled and made.policy.trigger.type == "time", f"{made}")
        for _ in range(2):
            bound = self.cbr.associate_vault_policy(AssociateVaultPolicyRequest(
                vault_id=vault, body=VaultAssociate(policy_id=policy)))
            check(bound.associate_policy.vault_id == vault, f"{bound}")
        listed = self.cbr.list_policies(ListPoliciesRequest(vault_id=vault))
        check([p.id for p in listed.policies] == [policy] and listed.count == 1, f"{listed}")
        changed = self.cbr.update_policy(UpdatePolicyRequest(
            policy_id=policy, body=PolicyUpdateReq(policy=PolicyUpdate(
                enabled=False, trigger=PolicyTriggerUpdateReq(
                    properties=PolicyTriggerPropertiesUpdateReq(
                        pattern=["FREQ=DAILY;INTERVAL=3;BYHOUR=01;BYMINUTE=30"])))))).policy
        shown = self.cbr.show_policy(ShowPolicyRequest(policy_id=policy)).policy
        check(shown.to_dict() == changed.to_dict() and not shown.enabled, f"{shown}")
        check(shown.operation_definition.max_backups == 30, f"{shown}")
        check([v.vault_id for v in shown.associated_vaults] == [vault], f"{shown}")
        self.cbr.set_vault_resource(SetVaultResourceRequest(
            vault_id=vault, body=VaultSetResourceReq(resource_ids=[resource], action="suspend")))
        self.cbr.disassociate_vault_policy(DisassociateVaultPolicyRequest(
            vault_id=vault, body=VaultDissociate(policy_id=policy)))
        self.refused("BackupService.6002", lambda: self.cbr.disassociate_vault_policy(
            DisassociateVaultPolicyRequest(
                vault_id=vault, body=VaultDissociate(policy_id=policy))))
        self.cbr.delete_policy(DeletePolicyRequest(policy_id=policy))
        self.refused("BackupService.6000", lambda: self.cbr.show_policy(
            ShowPolicyRequest(policy_id=policy)))

    def organization(self):
        made = self.cbr.create_organization_policy(CreateOrganizationPolicyRequest(
            body=OrganizationPolicyCreateReq(policy=OrganizationPolicyCreate(
                name="sdk_everywhere", operation_type="backup", policy_name="sdk_everywhere",
                policy_enabled=False, policy_operation_definition=PolicyoODCreate(max_backups=9),
                policy_trigger=PolicyTriggerReq(properties=PolicyTriggerPropertiesReq(
                    pattern=["FREQ=DAILY;INTERVAL=1;BYHOUR=03;BYMINUTE=00"])))))).policy
        check(made.status == "available", f"{made}")
        listed = self.cbr.list_organization_policies(
            ListOrganizationPoliciesRequest(operation_type="backup"))
        check([p.id for p in listed.policies] == [made.id] and listed.count == 1, f"{listed}")
        detail = self.cbr.list_organization_policy_detail(
            ListOrganizationPolicyDetailRequest(organization_policy_id=made.id))
        check([r.status for r in detail.policies] == ["available"], f"{detail}")
        changed = self.cbr.update_organization_policy(UpdateOrganizationPolicyRequest(
            organization_policy_id=made.id, body=OrganizationPolicyUpdateReq(
                policy=OrganizationPolicyUpdate(policy_name="sdk_renamed")))).policy
        shown = self.cbr.show_organization_policy(
            ShowOrganizationPolicyRequest(organization_policy_id=made.id)).policy
        check(shown.to_dict() == changed.to_dict(), f"{shown}")
        own = self.cbr.show_policy(ShowPolicyRequest(policy_id=detail.policies[0].policy_id))
        check(own.policy.name == "sdk_renamed", f"{own}")
        self.cbr.delete_organization_policy(
            DeleteOrganizationPolicyRequest(organization_policy_id=made.id))
        self.refused("BackupService.6000", lambda: self.cbr.show_organization_policy(
            ShowOrganizationPolicyRequest(organization_policy_id=made.id)))

    def tags(self, vault):
        self.cbr.create_vault_tags(CreateVaultTagsRequest(
            vault_id=vault, body=VaultTagsCreateReq(tag=Tag(key="team", value="storage"))))
        tags = self.cbr.show_vault_tag(ShowVaultTagRequest(vault_id=vault)).tags
        check([(t.key, t.value) for t in tags] == [("team", "storage")], f"{tags}")
        project = self.cbr.show_vault_project_tag(ShowVaultProjectTagRequest()).tags
        check("team" in [t.key for t in project], f"{project}")
        self.cbr.delete_vault_tag(DeleteVaultTagRequest(vault_id=vault, key="team"))
        self.refused("BackupService.6601", lambda: self.cbr.delete_vault_tag(
            DeleteVaultTagRequest(vault_id=vault, key="team")))

    def delete_vault(self, vault):
        self.cbr.delete_vault(DeleteVaultRequest(vault_id=vault))

        def gone():
            try:
                return self.cbr.show_vault(ShowVaultRequest(vault_id=vault)).vault.billing.status
            except ClientRequestException as refusal:
                check(refusal.status_code == 404, f"{refusal}")
                return "gone"

        wait_for("vault deletion", gone, lambda state: state == "gone")


def share_story(s, resource, path):
    path = pathlib.Path(path)
    s.protectables("turbo", resource)
    vault = s.vault("sdk-share", "turbo")
    s.add(vault, resource, SHARE)
    s.refused("BackupService.6103", lambda: s.add(s.vault("sdk-second", "turbo"), resource, SHARE))

    before = fingerprint(path)
    first = s.checkpoint(vault, "sdk_first")
    s.show(first)
    (path / "changed-by-sdk").write_text("new\n")
    victim = next(p for p in sorted(path.rglob("*")) if p.is_file() and not p.is_symlink()
                  and p.name != "changed-by-sdk" and p.stat().st_size > 0)
    victim.write_bytes(b"overwritten")
    changed = fingerprint(path)
    check(changed != before, "the data changed")
    second = s.checkpoint(vault, "sdk_second")
    check(second.incremental is True, f"the second backup is incremental: {second}")

    s.restore(first, resource_id=resource)
    check(fingerprint(path) == before, "the first backup came back in place")
    s.restore(second, resource_id=resource)
    check(fingerprint(path) == changed, "the second backup came back in place")

    renamed = s.cbr.update_backup(UpdateBackupRequest(
        backup_id=first.id, body=BackupUpdateReq(backup=BackupUpdate(name="renamed")))).backup
    check(renamed.name == "renamed", f"{renamed}")
    s.cbr.show_metadata(ShowMetadataRequest(backup_id=first.id))
    usage = s.cbr.show_storage_usage(ShowStorageUsageRequest(resource_id=resource)).storage_usage
    check(usage and usage[0].backup_count >= 2 and usage[0].backup_size > 0, f"{usage}")
    moved = s.cbr.update_expiration_time(UpdateExpirationTimeRequest(
        vault_id=vault, body=UpdateExpirationTimeReq(
            expect_expiration_date="2999-12-31", time_zone="UTC+08:00")))
    check(moved.affected_backups_count >= 2, f"{moved}")
    log = s.cbr.show_op_log(ShowOpLogRequest(operation_log_id=moved.operation_log_id))
    check(log.operation_log.extra_info.update_expiration_time.expiration_day == "2999-12-31",
          f"{log}")
    ended = s.cbr.show_backup(ShowBackupRequest(backup_id=first.id)).backup.expired_at
    check(str(ended).startswith("2999-12-31"), f"{ended}")
    s.policies(vault, resource)
    s.organization()
    s.tags(vault)
    # Two of ours and one safety backup before each restore in place.
    s.paging(s.cbr.list_backups(ListBackupsRequest(limit=1000)).count)

    s.cbr.delete_backup(DeleteBackupRequest(backup_id=first.id))

    def gone():
        try:
            s.cbr.show_backup(ShowBackupRequest(backup_id=first.id))
            return False
        except ClientRequestException as refusal:
            check(refusal.error_code == "BackupService.6200", f"{refusal}")
            return True

    wait_for("backup deletion", gone, bool)
    s.restore(second, resource_id=resource)
    check(fingerprint(path) == changed, "the second backup survives the deletion of the first")
    account(s, vault, second.id, resource)
    return vault


def volume_story(s, resource, path):
    s.protectables("disk", resource)
    vault = s.vault("sdk-volume", "disk")
    s.add(vault, resource, VOLUME)
    before = pathlib.Path(path).read_bytes()
    first = s.checkpoint(vault, "sdk_disk", incremental=False)
    with open(path, "r+b") as image:
        image.seek(1 << 20)
        image.write(os.urandom(300_000))
    second = s.checkpoint(vault, "sdk_disk_2")
    check(second.incremental is True, f"{second}")
    s.restore(first, volume_id=resource)
    check(pathlib.Path(path).read_bytes() == before, "the image came back byte for byte")
    return vault


def replication_story(s, source):
    """Copies into the second region, first by restore point, then one backup by name."""
    regions = s.cbr.show_replication_capabilities(ShowReplicationCapabilitiesRequest()).regions
    here = next(region for region in regions if region.name == s.service.region)
    check("far" in here.replication_destinations, f"{regions}")
    billing = BillingCreate(consistent_level="crash_consistent", object_type="disk",
                            protect_type="replication", size=100)
    far = s.cbr.create_vault(CreateVaultRequest(body=VaultCreateReq(vault=VaultCreate(
        name="sdk-far", billing=billing, resources=[])))).vault
    project = s.service.admin["project_id"]
    listed = s.cbr.list_external_vault(ListExternalVaultRequest(
        external_project_id=project, region_id="far", protect_type="replication"))
    check([vault.id for vault in listed.vaults] == [far.id], f"{listed}")

    where = {"destination_project_id": project, "destination_region": "far",
             "destination_vault_id": far.id}
    begun = s.cbr.copy_checkpoint(CopyCheckpointRequest(body=CheckpointReplicateReq(
        replicate=CheckpointReplicateParam(vault_id=source, **where)))).replication
    check(len(begun.backups) == 1 and begun.source_region == s.service.region, f"{begun}")
    newest = begun.backups[0].backup_id

    def records(backup):
        shown = s.cbr.list_backups(ListBackupsRequest(vault_id=source, show_replication=True))
        return next(b for b in shown.backups if b.id == backup).replication_records

    def copied(backup):
        done = wait_for("replication", lambda: records(backup),
                        lambda found: found and found[0].status in ("success", "fail"))
        check(done[0].status == "success", f"{done}")
        return done[0]

    record = copied(newest)
    check(record.id == begun.backups[0].replication_record_id, f"{record}")
    older = [b for b in s.cbr.list_backups(ListBackupsRequest(vault_id=source)).backups
             if b.id != newest][0]

    def copy(backup):
        return s.cbr.copy_backup(CopyBackupRequest(backup_id=backup, body=BackupReplicateReq(
            replicate=BackupReplicateReqBody(name="sdk_copy", **where)))).replication

    one = copy(older.id)
    check(one.backup_id == older.id and one.destination_vault_id == far.id, f"{one}")
    replica = copied(older.id).destination_backup_id
    shown = s.cbr.show_backup(ShowBackupRequest(backup_id=replica)).backup
    check(shown.image_type == "replication" and shown.name == "sdk_copy", f"{shown}")
    logs = s.cbr.list_op_logs(ListOpLogsRequest(operation_type="replication"))
    check(logs.count == 2 and logs.operation_logs[0].extra_info.replication, f"{logs}")
    s.refused("BackupService.1009", lambda: copy(older.id))
    where["destination_region"] = s.service.region
    s.refused("BackupService.1005", lambda: copy(older.id))


def refusals(s):
    missing = "00000000-0000-4000-8000-000000000000"
    s.refused("BackupService.6105", lambda: s.cbr.show_vault(ShowVaultRequest(vault_id=missing)))
    s.refused("BackupService.6200", lambda: s.cbr.show_backup(ShowBackupRequest(backup_id=missing)))
    s.refused("BackupService.6217",
              lambda: s.cbr.show_checkpoint(ShowCheckpointRequest(checkpoint_id=missing)))
    s.refused("BackupService.6500",
              lambda: s.cbr.show_op_log(ShowOpLogRequest(operation_log_id=missing)))
    s.refused("BackupService.9900",
              lambda: s.cbr.show_backup(ShowBackupRequest(backup_id="nonsense")))
    s.refused("BackupService.9900", lambda: s.cbr.list_backups(ListBackupsRequest(limit=1001)))


def finish(s, vaults):
    summary = s.cbr.show_summary(ShowSummaryRequest())
    check(summary.size >= 200, f"{summary}")
    updated = s.cbr.update_vault(UpdateVaultRequest(vault_id=vaults[0], body=VaultUpdateReq(
        vault=VaultUpdate(name="sdk-renamed", billing=BillingUpdate(size=200))))).vault
    check(updated.name == "sdk-renamed" and updated.billing.size == 200, f"{updated}")
    held = s.cbr.show_vault(ShowVaultRequest(vault_id=vaults[1])).vault.resources[0].id
    s.cbr.remove_vault_resource(RemoveVaultResourceRequest(
        vault_id=vaults[1], body=VaultRemoveResourceReq(resource_ids=[held])))
    wait_for("resource removal",
             lambda: s.cbr.show_vault(ShowVaultRequest(vault_id=vaults[1])).vault.resources,
             lambda resources: not resources)
    for vault in s.cbr.list_vault(ListVaultRequest()).vaults:
        s.delete_vault(vault.id)
    check(s.cbr.list_vault(ListVaultRequest()).count == 0, "no vault is left")
    check(s.cbr.list_backups(ListBackupsRequest()).count == 0, "no backup is left")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", required=True)
    options.add_argument("--share", nargs=2, required=True, metavar=("ID", "PATH"))
    options.add_argument("--volume", nargs=2, required=True, metavar=("ID", "PATH"))
    given = options.parse_args()
    scenario = Scenario(Service(given.data_dir))
    scenario.identity()
    vaults = [share_story(scenario, *given.share), volume_story(scenario, *given.volume)]
    replication_story(scenario, vaults[1])
    refusals(scenario)
    finish(scenario, vaults)
    print("scenario_sdk: all steps passed")


if __name__ == "__main__":
    main()

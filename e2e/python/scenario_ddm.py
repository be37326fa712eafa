"""Sharding layers through the vendor's unmodified SDK (huaweicloudsdkddm).

  scenario_ddm.py --data-dir DIR --instance ID --backup ID --target ID --password P

Signed with access keys. The instance has one backup and two data nodes; the target is empty and
has two data nodes with the same physical databases. Every operation that works is called, and its
reply read through the SDK's own models.
"""
import argparse
import time

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.http.http_config import HttpConfig
import huaweicloudsdkddm.v1 as sdk

from service import Service, check, wait_for


class Scenario:
    def __init__(self, service, options):
        self.options = options
        admin = service.admin
        config = HttpConfig.get_default_config()
        if service.ca_file:
            config.ssl_ca_cert = service.ca_file
        keys = BasicCredentials(admin["access_key"], admin["secret_key"], admin["project_id"])
        self.client = (sdk.DdmClient.new_builder().with_http_config(config)
                       .with_credentials(keys).with_endpoint(service.origin("ddm")).build())

    def job(self, job_id):
        def look():
            request = sdk.ShowDdmJobResultRequest(job_id=job_id)
            return self.client.show_ddm_job_result(request).job
        job = wait_for("a job", look, lambda job: job.status != "Running")
        check(job.status == "Completed", f"{job}")
        return job

    def refused(self, call, status, code):
        try:
            reply = call()
        except ClientRequestException as refusal:
            check((refusal.status_code, refusal.error_code) == (status, code), f"{refusal}")
            check(refusal.request_id, "a refusal names its request")
            return
        raise AssertionError(f"not refused: {reply}")

    def backups(self):
        instance, backup = self.options.instance, self.options.backup
        listed = self.client.list_backups(sdk.ListBackupsRequest())
        check((listed.total, listed.offset, listed.limit) == (1, 0, 10), f"{listed}")
        row = listed.backups[0]
        check((row.id, row.status, row.instance_id) == (backup, "normal", instance), f"{row}")
        check(row.created.endswith("+0000") and row.file_size > 1, f"{row}")
        none = self.client.list_backups(sdk.ListBackupsRequest(instance_name="nobody"))
        check((none.total, none.backups) == (0, []), f"{none}")
        beyond = self.client.list_backups(sdk.ListBackupsRequest(offset=5, limit=128))
        check((beyond.total, len(beyond.backups)) == (1, 0), f"{beyond}")
        shown = self.client.show_backup(sdk.ShowBackupRequest(
            instance_id=instance, backup_id=backup))
        check(shown.name == row.name and len(shown.related_data_nodes) == 2, f"{shown}")
        list_of = lambda **words: lambda: self.client.list_backups(
            sdk.ListBackupsRequest(**words))
        self.refused(list_of(limit=0), 400, "DBS.280001")
        self.refused(list_of(limit=129), 400, "DBS.280001")
        self.refused(list_of(offset=-1), 400, "DBS.280001")

    def instances(self):
        client, instance = self.client, self.options.instance
        old = client.list_instances(sdk.ListInstancesRequest())
        check((old.total_record, old.page_no, len(old.instances)) == (2, 1, 2), f"{old}")
        check(client.list_ddms(sdk.ListDdmsRequest()).total == 2, "two instances")
        one = client.show_instance(sdk.ShowInstanceRequest(instance_id=instance))
        check((one.status, one.name, one.node_count) == ("RUNNING", "layer", 1), f"{one}")
        detail = client.show_ddm_detail(sdk.ShowDdmDetailRequest(instance_id=instance))
        check(detail.instances[0].id == instance, f"{detail}")
        nodes = client.list_nodes(sdk.ListNodesRequest(instance_id=instance)).nodes
        node = nodes[0].node_id
        check(client.show_node(sdk.ShowNodeRequest(
            instance_id=instance, node_id=node)).status == "normal", "a node")
        check(client.show_ddm_node_detail(sdk.ShowDdmNodeDetailRequest(
            instance_id=instance, node_id=node)).id == node, "the same node")
        users = client.list_ddm_users(sdk.ListDdmUsersRequest(instance_id=instance)).users
        check("reader" in [user.name for user in users], f"{users}")
        engines = client.list_ddm_engines(sdk.ListDdmEnginesRequest()).engine_groups
        check(engines[0].name == "spider", f"{engines}")
        check(client.list_engines(sdk.ListEnginesRequest()).total == 1, "one engine")
        flavors = client.list_ddm_flavors(sdk.ListDdmFlavorsRequest(engine_id="spider"))
        check(flavors.flavor_groups == [], f"{flavors}")
        flavors = client.list_flavors(sdk.ListFlavorsRequest(engine_id="spider"))
        check(flavors.compute_flavor_groups == [], f"{flavors}")
        ids = {version.id for version in
               client.list_api_version(sdk.ListApiVersionRequest()).versions}
        check(ids == {"v1", "v2", "v3"}, f"{ids}")
        client.update_ddm_instance_name(sdk.UpdateDdmInstanceNameRequest(
            instance_id=instance, body=sdk.UpdateDdmInstanceNameRequestBody(name="renamed")))
        check(client.show_instance(sdk.ShowInstanceRequest(
            instance_id=instance)).name == "renamed", "the new name")
        nobody = sdk.ShowInstanceRequest(instance_id="0" * 32 + "in09")
        try:
            client.show_instance(nobody)
            raise AssertionError("an instance that is not there was shown")
        except ClientRequestException as refusal:
            check((refusal.status_code, refusal.error_code) == (404, "DBS.200002"), f"{refusal}")

    def databases(self):
        client, instance = self.client, self.options.instance
        listed = client.list_databases(sdk.ListDatabasesRequest(instance_id=instance))
        check([row.name for row in listed.databases] == ["shop"], f"{listed}")
        check(listed.databases[0].shard_number == 2, f"{listed}")
        old = client.show_database(sdk.ShowDatabaseRequest(
            instance_id=instance, ddm_dbname="shop")).database
        check(len(old.databases) == 2 and old.shard_mode == "cluster", f"{old}")
        new = client.show_instance_database(sdk.ShowInstanceDatabaseRequest(
            instance_id=instance, database_name="shop"))
        check({shard.physical_db_name for shard in new.shards} == {"shop_0", "shop_1"}, f"{new}")
        export = client.download_schema_metadata(
            sdk.DownloadSchemaMetadataRequest(instance_id=instance))
        check(export.compressed_databases_info and len(export.data_nodes) == 2, f"{export}")
        available = client.list_available_rds(
            sdk.ListAvailableRdsRequest(instance_id=instance)).data_nodes
        client.sync_dn_information(sdk.SyncDnInformationRequest(instance_id=instance))
        tried = client.check_data_node_connection(sdk.CheckDataNodeConnectionRequest(
            instance_id=instance, body=sdk.EsdbCheckRdsConnectionsRequestV3(infos=[
                sdk.EsdbCheckRdsConnectionRequestV3(
                    endpoint="x", username="app", password=password,
                    rds_instance_id=available[0].id)
                for password in (self.options.password, "guessed")]))).rds_check_infos
        check([one.success for one in tried] == ["true", "false"], f"{tried}")
        return available

    def restore(self, source_nodes):
        client, options = self.client, self.options
        now = str(int(time.time() * 1000))
        related = client.show_related_dns(sdk.ShowRelatedDnsRequest(
            instance_id=options.instance, restore_time=now))
        check(len(related.related_data_nodes) == 2, f"{related}")
        # The data nodes are not copied, so there is no point in time, and an order says why.
        times = client.show_avalible_time(sdk.ShowAvalibleTimeRequest(
            instance_id=options.instance))
        check((times.restorable_time_intervals, times.total) == ([], 0), f"{times}")
        self.refused(lambda: client.restore2_exist(sdk.Restore2ExistRequest(
            instance_id=options.instance,
            body=sdk.RestoreInst2ExistReq(
                source=sdk.RestoreInstSource(restore_time=int(now)),
                target=sdk.RestoreInstTarget(instance_id=options.target),
                data_node_relations=[sdk.DataNodeRelation(
                    source_instance_id=node.id, target_instance_id=node.id)
                    for node in source_nodes]))), 400, "DBS.300377")
        targets = client.show_avalible_ddms(sdk.ShowAvalibleDdmsRequest(
            instance_id=options.instance)).instances
        check([(one.instance_id, one.available) for one in targets]
              == [(options.target, True)], f"{targets}")
        nodes = client.show_avalible_rds(sdk.ShowAvalibleRdsRequest(
            instance_id=options.instance, target_instance_id=options.target,
            source_dn_instance_id=source_nodes[0].id, restore_time=now)).target_data_nodes
        check(len(nodes) == 2 and all(node.available for node in nodes), f"{nodes}")
        order = sdk.RestoreMetadataRequest(
            instance_id=options.instance,
            body=sdk.RestoreMetaData2ExistReq(
                source=sdk.RestoreMetaDataSource(backup_id=options.backup),
                target=sdk.RestoreMetaDataTarget(
                    instance_id=options.target,
                    data_nodes=[node.instance_id for node in nodes])))
        self.job(client.restore_metadata(order).job_id)
        listed = client.list_databases(sdk.ListDatabasesRequest(instance_id=options.target))
        check([row.name for row in listed.databases] == ["shop"], f"{listed}")
        self.refused(lambda: client.restore_metadata(order), 400, "DBS.300372")
        targets = client.show_avalible_ddms(sdk.ShowAvalibleDdmsRequest(
            instance_id=options.instance)).instances
        check("common accounts" in targets[0].unavailable_reason, f"{targets}")

    def jobs(self):
        client, now = self.client, int(time.time() * 1000)
        jobs = client.list_tasks(sdk.ListTasksRequest(
            start_time=now - 3_600_000, end_time=now + 3_600_000)).jobs
        names = [job.name for job in jobs]
        check("RestoreInstance" in names and "createMetadataBackup" in names, f"{names}")
        dropped = client.delete_ddm_database(sdk.DeleteDdmDatabaseRequest(
            instance_id=self.options.target, database_name="shop", delete_dn_data=False))
        self.job(dropped.job_id)
        deleted = client.delete_backup(sdk.DeleteBackupRequest(backup_id=self.options.backup))
        self.job(deleted.job_id)
        left = client.list_backups(sdk.ListBackupsRequest()).backups
        check([one.backup_type for one in left] == ["metadata"], f"{left}")
        removed = client.delete_ddm_instance(sdk.DeleteDdmInstanceRequest(
            instance_id=self.options.target))
        check(removed is not None, "an instance goes")


    def not_offered(self):
        """What a service cannot do with servers that are their owners'."""
        client, instance = self.client, self.options.instance
        for call in (
                lambda: client.create_instance(sdk.CreateInstanceRequest(
                    body=sdk.CreateInstanceReq())),
                lambda: client.create_ddm_instance(sdk.CreateDdmInstanceRequest(
                    body=sdk.CreateDdmInstanceReq())),
                lambda: client.restart_ddm_instance(sdk.RestartDdmInstanceRequest(
                    instance_id=instance))):
            self.refused(call, 400, "DBS.300005")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("data-dir", "instance", "backup", "target", "password"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    scenario = Scenario(Service(options.data_dir), options)
    scenario.backups()
    scenario.instances()
    scenario.restore(scenario.databases())
    scenario.jobs()
    scenario.not_offered()
    print("the SDK's scenario is done")


if __name__ == "__main__":
    main()

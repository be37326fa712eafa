"""Audit logs through the vendor's unmodified SDK (huaweicloudsdkdbss).

  scenario_dbss.py --data-dir DIR --instance ID --backup ID

Signed with access keys. The instance has the logs of a MariaDB server, in which the statement
`INSERT INTO shop.orders VALUES (4711)` is, and one backup. Every operation that works is called,
and its reply read through the SDK's own models.
"""
import argparse
import datetime
import os

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import (ClientRequestException,
                                                      ServerResponseException)
from huaweicloudsdkcore.http.http_config import HttpConfig
import huaweicloudsdkdbss.v1 as sdk

from service import Service, check, wait_for

TYPE = "auditInstance"


class Scenario:
    def __init__(self, service, options):
        self.instance, self.backup = options.instance, options.backup
        self.data_dir = options.data_dir
        self.admin = service.admin
        config = HttpConfig.get_default_config()
        if service.ca_file:
            config.ssl_ca_cert = service.ca_file
        keys = BasicCredentials(self.admin["access_key"], self.admin["secret_key"],
                                self.admin["project_id"])
        self.client = (sdk.DbssClient.new_builder().with_http_config(config)
                       .with_credentials(keys).with_endpoint(service.origin("dbss")).build())

    def refused(self, call, status, code):
        try:
            reply = call()
        except (ClientRequestException, ServerResponseException) as refusal:
            check((refusal.status_code, refusal.error_code) == (status, code), f"{refusal}")
            check(refusal.request_id, "a refusal names its request")
            return
        raise AssertionError(f"not refused: {reply}")

    def status(self):
        return self.client.show_audit_backup_status(
            sdk.ShowAuditBackupStatusRequest(instance_id=self.instance)).status

    def listed(self, **words):
        return self.client.list_audit_backup_info(sdk.ListAuditBackupInfoRequest(
            instance_id=self.instance, body=sdk.BackupPageRequest(**words)))

    def settled(self, backup, progress):
        def look():
            rows = self.listed(page=1, size=100).data_list
            return next(row for row in rows if row.id == backup)
        row = wait_for(progress, look, lambda row: row.progress not in (
            "BACKUP_WAITING", "MANUAL_BACKUPING", "RESTORING_WAITING", "RESTORING", "DELETING"))
        check(row.progress == progress, f"{row}")
        return row

    def backups(self):
        client, instance = self.client, self.instance
        check(self.status() == 1, "the latest run succeeded")
        found = self.listed(page=1, size=10)
        row = found.data_list[0]
        check((found.total_num, row.id, row.progress) == (1, self.backup, "MANUAL_BACKUPED"),
              f"{found}")
        check(row.percentage == 100 and len(row.sha256) == 64 and not row.deleted, f"{row}")
        check(isinstance(row.backup_time, (str, datetime.datetime)), f"{row.backup_time!r}")
        hour = datetime.timedelta(hours=1)
        now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)
        window = self.listed(page=1, size=10, start_time=now - hour, end_time=now + hour)
        check(window.total_num == 1, f"{window}")
        check(self.listed(page=1, size=10, end_time=now - hour).total_num == 0, "none so old")
        for page, size in ((0, 10), (1, 0), (1, 1001)):
            self.refused(lambda: self.listed(page=page, size=size), 400, "DBSS.10000001")
        nobody = sdk.ShowAuditBackupStatusRequest(instance_id="0" * 32)
        self.refused(lambda: client.show_audit_backup_status(nobody), 404, "DBSS.10021004")
        retry = sdk.RetryAuditBackupTaskRequest(instance_id=instance, id=self.backup)
        self.refused(lambda: client.retry_audit_backup_task(retry), 400, "DBSS.10000001")
        restored = client.restore_audit_backup(
            sdk.RestoreAuditBackupRequest(instance_id=instance, id=self.backup))
        check(restored.result == "SUCCESS", f"{restored}")
        self.settled(self.backup, "RESTORED")

    def switch(self):
        client, instance, domain = self.client, self.instance, self.admin["domain_id"]
        bucket = client.list_audit_obs_buckets(sdk.ListAuditObsBucketsRequest()).obs_list[0]
        read = sdk.SetAuditAutoBackupTemplateRequest(instance_id=instance)
        check(client.set_audit_auto_backup_template(read).status == 0, "off at first")

        def order(domain_id=domain, name=bucket.bucket_name):
            body = sdk.BackupSwitchRequest(
                bucket_name=name, bucket_root_path="logs", cycle="PER_DAY", mode="AUTO",
                status=1, trigger_time=datetime.datetime(2026, 1, 31, 2, 30))
            return client.set_audit_backup_switch(sdk.SetAuditBackupSwitchRequest(
                domain_id=domain_id, instance_id=instance, body=body))
        check(order().result == "SUCCESS", "the switch is set")
        self.refused(lambda: order(name="other"), 400, "DBSS.10000001")
        self.refused(lambda: order(domain_id="0" * 32), 403, "APIGW.0302")
        now = client.set_audit_auto_backup_template(read)
        check((now.status, now.cycle, now.bucket_root_path) == (1, "PER_DAY", "logs"), f"{now}")
        check(str(now.trigger_time).startswith("2026-01-31 02:30:00"), f"{now}")
        check(now.latest_backup_time is not None, f"{now}")

        templates = client.list_audit_backup_risk_templates(
            sdk.ListAuditBackupRiskTemplatesRequest(instance_id=instance)).templates
        check([one.status for one in templates] == [0], f"{templates}")
        database = templates[0].db_id
        check(client.show_audit_back_risk_template(sdk.ShowAuditBackRiskTemplateRequest(
            instance_id=instance, db_id=database)).db_id == database, "the same template")

        def risk(status):
            return client.set_audit_backup_risk_switch(sdk.SetAuditBackupRiskSwitchRequest(
                domain_id=domain, instance_id=instance,
                body=sdk.RiskBackupTemplate(db_id=database, cycle="PER_DAY", status=status)))
        check(risk(0).result == "SUCCESS", "off stays off")
        self.refused(lambda: risk(1), 400, "DBSS.10000001")
        client.update_audit_risk_bucket_path(sdk.UpdateAuditRiskBucketPathRequest(
            domain_id=domain, instance_id=instance, body=sdk.RiskBackupConfig(
                bucket_name=bucket.bucket_name, bucket_root_path="risks")))
        path = client.show_backup_risk_bucket_path(
            sdk.ShowBackupRiskBucketPathRequest(instance_id=instance))
        check((path.bucket_root_path, path.backup_domain_id) == ("risks", domain), f"{path}")

    def instances(self):
        client, instance = self.client, self.instance
        old = client.list_audit_instances(sdk.ListAuditInstancesRequest())
        check((old.total, old.servers[0].id, old.servers[0].status) == (1, instance, "ACTIVE"),
              f"{old}")
        new = client.list_audit_instances_new(
            sdk.ListAuditInstancesNewRequest(limit="10", offset="0"))
        check(new.instances[0].instance_id == instance, f"{new}")
        last = client.list_audit_instances_last(sdk.ListAuditInstancesLastRequest(limit="1"))
        check(last.instances[0].resource_id == instance, f"{last}")
        for jobs in (client.list_audit_instance_jobs(
                         sdk.ListAuditInstanceJobsRequest(resource_id=instance)).jobs,
                     client.list_audit_instance_jobs_new(
                         sdk.ListAuditInstanceJobsNewRequest(resource_id=instance)).jobs):
            check([job.status for job in jobs] == ["SUCCESS"] * len(jobs) and jobs, f"{jobs}")
        check(client.show_audit_quota(sdk.ShowAuditQuotaRequest()).audit_quota == 99, "99 left")
        check(client.show_audit_quota_new(sdk.ShowAuditQuotaNewRequest()).audit_quota == 99,
              "the same")
        check(client.show_server_version(sdk.ShowServerVersionRequest()).version, "a version")
        zones = client.list_availability_zone_infos_new(
            sdk.ListAvailabilityZoneInfosNewRequest()).azs
        check(len(zones) == 1, f"{zones}")
        summary = client.list_audit_summary_infos(sdk.ListAuditSummaryInfosRequest())
        check(summary.total_sql > 0 and summary.data_list[0].instance_name == "shop",
              f"{summary}")

        self.watched(client, instance)

        read = sdk.ShowLogRetentionCommonSettingsRequest(instance_id=instance)
        check(client.show_log_retention_common_settings(read).log_retention.retention_days == 180,
              "half a year")

        def keep(days):
            return client.update_log_retention_common_settings(
                sdk.UpdateLogRetentionCommonSettingsRequest(
                    instance_id=instance, body=sdk.UpdateLogRetention(retention_days=days)))
        check(keep(365).status == "success", "a year")
        self.refused(lambda: keep(0), 400, "DBSS.10000001")
        self.refused(lambda: keep(4000), 400, "DBSS.10000001")
        check(client.show_log_retention_common_settings(read).log_retention.retention_days == 365,
              "a year stays")
        zone = client.set_audit_instance_time_zone(sdk.SetAuditInstanceTimeZoneRequest(
            instance_id=instance, body=sdk.TimezoneRequest(timezone="GMT+00:00")))
        check(zone.status == "success", f"{zone}")

        body = sdk.ServerIdBean(instance_id=instance)
        check(client.stop_audit_instance_new(
            sdk.StopAuditInstanceNewRequest(body=body)).result == "success", "stopped")
        stopped = client.list_audit_instances_last(sdk.ListAuditInstancesLastRequest())
        check(stopped.instances[0].status == "SHUTOFF", f"{stopped}")
        check(client.start_audit_instance_new(
            sdk.StartAuditInstanceNewRequest(body=body)).result == "success", "started")
        check(client.reboot_audit_instance_new(
            sdk.RebootAuditInstanceNewRequest(body=body)).result == "success", "looked at again")
        client.update_audit_instance_new(sdk.UpdateAuditInstanceNewRequest(
            instance_id=instance, body=sdk.UpdateAuditBean(name="renamed", comment="a shop")))
        renamed = client.list_audit_instances_last(sdk.ListAuditInstancesLastRequest())
        check((renamed.instances[0].name, renamed.instances[0].comment) == ("renamed", "a shop"),
              f"{renamed}")

    def watched(self, client, instance):
        upgrade = client.show_audit_upgrade_status(
            sdk.ShowAuditUpgradeStatusRequest()).audit_upgrade_infos
        check([(one.instance_id, one.status) for one in upgrade] == [(instance, 2)], f"{upgrade}")
        check(upgrade[0].current_version == upgrade[0].upgrade_version, f"{upgrade}")

        def counted(kind):
            return client.show_audit_task_status(sdk.ShowAuditTaskStatusRequest(busi_type=kind))
        audit, risk = counted("audit"), counted("risk")
        check((audit.task_switch, audit.task_status, audit.completed_num) == ("on", "2", 1),
              f"{audit}")
        check((risk.task_switch, risk.task_status, risk.completed_num) == ("off", "0", 0),
              f"{risk}")

        def count(kind, **words):
            return client.update_audit_task_status(sdk.UpdateAuditTaskStatusRequest(
                busi_type=kind, body=sdk.AuditSummaryStatusRequest(**words)))
        count("audit", oper_type="execute")
        count("audit", oper_type="switch", code="on")
        count("risk", oper_type="switch", code="off")
        for kind, words in (("audit", {"oper_type": "switch", "code": "off"}),
                            ("audit", {"oper_type": "switch"}),
                            ("risk", {"oper_type": "execute"})):
            self.refused(lambda: count(kind, **words), 400, "DBSS.10000001")

        def host():
            return client.show_instance_monitor_info(sdk.ShowInstanceMonitorInfoRequest(
                instance_id=instance, body=sdk.MonitorInfoRequest(
                    time=sdk.Duration(time_range="HALF_HOUR"))))
        seen = wait_for("a sample of the host", host, lambda reply: len(reply.system_infos) > 0)
        disk = seen.disk_infos
        there = os.statvfs(self.data_dir)
        total = there.f_blocks * there.f_frsize / 2 ** 30
        check(abs(disk.data_total - total) < 0.01, f"{disk} {total}")
        check(0 <= disk.data_available <= disk.data_total and disk.system_total > 0, f"{disk}")
        check(all(0 <= one.cpu_use <= 100 and 0 < one.mem_use <= 100
                  for one in seen.system_infos), f"{seen.system_infos}")
        check(len(seen.traffic_infos) == len(seen.system_infos), f"{seen}")

    def statements(self):
        client, instance = self.client, self.instance
        for found in (client.list_audit_databases(
                          sdk.ListAuditDatabasesRequest(instance_id=instance)),
                      client.list_audit_databases_new(
                          sdk.ListAuditDatabasesNewRequest(instance_id=instance, status="ON"))):
            check((found.total, found.databases[0].database.type) == (1, "MYSQL"), f"{found}")

        def body(**words):
            return sdk.AuditSqlRequest(time=sdk.AuditSqlRequestTime(time_range="MONTH"),
                                       page=1, size=20, time_order="DESC", **words)
        for found in (client.list_audit_sqls(sdk.ListAuditSqlsRequest(
                          instance_id=instance, body=body(sql_statement="(4711)"))),
                      client.list_audit_sqls_new(sdk.ListAuditSqlsNewRequest(
                          instance_id=instance,
                          body=body(sql_statement="(4711)", query_type="INSERT")))):
            check(found.total >= 1 and found.sqls[0].sql.db_user == "root", f"{found}")
        row = found.sqls[0].sql
        shown = client.show_sql_detail(
            sdk.ShowSqlDetailRequest(instance_id=instance, id=row.id)).sql
        check((shown.id, shown.sql_statement) == (row.id, row.sql_statement), f"{shown}")
        none = client.list_audit_sqls_new(sdk.ListAuditSqlsNewRequest(
            instance_id=instance, body=body(sql_statement="(4711)", risk_levels="HIGH")))
        check(none.total == 0, f"{none}")
        unknown = sdk.ShowSqlDetailRequest(instance_id=instance, id="x")
        self.refused(lambda: client.show_sql_detail(unknown), 404, "DBSS.10021004")

    def operations(self):
        client, instance = self.client, self.instance

        def body(**words):
            return sdk.OperateLogGetRequest(time=sdk.TimeRangeBean(time_range="HOUR"),
                                            page="1", size="100", **words)
        old = client.list_audit_operate_logs(sdk.ListAuditOperateLogsRequest(
            instance_id=instance, body=body()))
        names = {row.name for row in old.operate_log}
        check({"restore", "setSwitch", "stop", "update", "backup"} <= names, f"{names}")
        failed = client.list_audit_operate_logs_new(sdk.ListAuditOperateLogsNewRequest(
            instance_id=instance, body=body(result="fail", action="UPDATE")))
        check(failed.total_num > 0 and all(row.result == "fail" for row in failed.operate_log),
              f"{failed}")

    def tags(self):
        client, instance = self.client, self.instance
        client.batch_add_resource_tag(sdk.BatchAddResourceTagRequest(
            resource_type=TYPE, resource_id=instance, body=sdk.ResourceTagRequest(
                tags=[sdk.ResourceTagRequestTags(key="team", value="a"),
                      sdk.ResourceTagRequestTags(key="stage", value="b")])))
        tags = client.list_audit_tags(
            sdk.ListAuditTagsRequest(resource_type=TYPE, resource_id=instance)).tags
        check({tag.key for tag in tags} == {"team", "stage"}, f"{tags}")
        all_tags = client.list_project_resource_tags(
            sdk.ListProjectResourceTagsRequest(resource_type=TYPE)).tags
        check(len(all_tags) == 2, f"{all_tags}")
        search = sdk.ResourceInstanceTagRequest(
            tags=[sdk.TagKeyValuesBean(key="team", values=["a"])])
        found = client.list_resource_instance_by_tag(sdk.ListResourceInstanceByTagRequest(
            resource_type=TYPE, limit="10", offset="0", body=search))
        check(found.resources[0].resource_id == instance, f"{found}")
        count = client.count_resource_instance_by_tag(sdk.CountResourceInstanceByTagRequest(
            resource_type=TYPE, body=search))
        check(count.total_count == 1, f"{count}")
        client.batch_delete_resource_tag(sdk.BatchDeleteResourceTagRequest(
            resource_type=TYPE, resource_id=instance, body=sdk.ResourceTagDeleteRequest(
                tags=[sdk.ResourceTagDeleteRequestTags(key="team")])))
        left = client.list_audit_tags(
            sdk.ListAuditTagsRequest(resource_type=TYPE, resource_id=instance)).tags
        check([tag.key for tag in left] == ["stage"], f"{left}")

    def ends(self):
        client, instance = self.client, self.instance
        deleted = client.delete_audit_backup_task(
            sdk.DeleteAuditBackupTaskRequest(instance_id=instance, id=self.backup))
        check(deleted.result == "SUCCESS", f"{deleted}")
        check(self.settled(self.backup, "DELETED").deleted, "it says so")
        gone = client.delete_instances_new(sdk.DeleteInstancesNewRequest(
            body=sdk.DeleteInstanceDemandRequest(id=instance)))
        check(gone.result == "SUCCESS", f"{gone}")
        left = client.list_audit_instances_last(sdk.ListAuditInstancesLastRequest())
        check(left.total == 0, f"{left}")
        check(self.listed(page=1, size=10).total_num == 2, "backups outlive their instance")
        self.refused(self.status, 404, "DBSS.10021004")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    for name in ("data-dir", "instance", "backup"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    scenario = Scenario(Service(options.data_dir), options)
    scenario.backups()
    scenario.switch()
    scenario.instances()
    scenario.statements()
    scenario.operations()
    scenario.tags()
    scenario.ends()
    print("the SDK's scenario is done")


if __name__ == "__main__":
    main()

"""The scenario through unmodified `openstack cbr …` commands (otcextensions), by password.

  scenario_openstack.py --data-dir DIR --volume ID PATH

Each command is a process of its own that signs in anew and finds CBR in the token's catalogue,
as an administrator's shell does.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

from service import Service, check, wait_for


class Shell:
    def __init__(self, service):
        admin = service.admin
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "OS_AUTH_URL": service.origin("identity") + "/v3",
            "OS_USERNAME": admin["user"],
            "OS_PASSWORD": admin["password"],
            "OS_PROJECT_NAME": admin["project"],
            "OS_USER_DOMAIN_NAME": admin["domain"],
            "OS_PROJECT_DOMAIN_NAME": admin["domain"],
            "OS_IDENTITY_API_VERSION": "3",
        }
        if service.ca_file:
            self.environment["OS_CACERT"] = service.ca_file
        self.openstack = pathlib.Path(sys.executable).parent / "openstack"

    def run(self, *words, **environment):
        return subprocess.run(
            [self.openstack, *words], env=self.environment | environment,
            capture_output=True, text=True, timeout=120)

    def __call__(self, *words):
        done = self.run(*words)
        check(done.returncode == 0, f"openstack {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words):
        # The client calls the same column `ID` here and `id` there.
        return json.loads(self(*words, "-f", "json"), object_hook=lambda row: {
            name.lower(): value for name, value in row.items()})


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--data-dir", required=True)
    options.add_argument("--volume", nargs=2, required=True, metavar=("ID", "PATH"))
    given = options.parse_args()
    resource, path = given.volume
    shell = Shell(Service(given.data_dir))

    wrong = shell.run("cbr", "vault", "list", OS_PASSWORD="wrong")
    check(wrong.returncode != 0 and "401" in wrong.stderr, f"a wrong password: {wrong.stderr}")

    vault = shell.json("cbr", "vault", "create", "cli-vault", "--consistent-level",
                       "crash_consistent", "--object-type", "disk", "--size", "100")["id"]
    shell("cbr", "vault", "associate", vault, "--resource",
          f"id={resource},type=OS::Cinder::Volume")
    check([v["id"] for v in shell.json("cbr", "vault", "list", "--limit", "1")] == [vault],
          "paging with marker ends")
    by_name = shell.json("cbr", "vault", "show", "cli-vault")
    check(by_name["id"] == vault, f"a vault is found by name: {by_name}")

    policy = shell.json("cbr", "policy", "create", "cli-policy", "--operation-type", "backup",
                        "--pattern", "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=14;BYMINUTE=00",
                        "--max-backups", "3")["id"]
    listed = [p["id"] for p in shell.json("cbr", "policy", "list")]
    check(listed == [policy], f"the policy is listed: {listed}")
    # `policy show` of this client calls its own SDK with a word that is not known there, whatever
    # the service says, so it cannot be used anywhere.

    before = pathlib.Path(path).read_bytes()
    point = shell.json("cbr", "checkpoint", "create", "--vault-id", vault,
                       "--backup-name", "cli_backup")["id"]
    wait_for("checkpoint", lambda: shell.json("cbr", "checkpoint", "show", point),
             lambda shown: shown["status"] in ("available", "error"))
    backups = shell.json("cbr", "backup", "list")
    check(len(backups) == 1, f"one backup: {backups}")
    backup = backups[0]["id"]
    shown = shell.json("cbr", "backup", "show", backup)
    check(shown["status"] == "available" and shown["resource_id"] == resource, f"{shown}")

    with open(path, "r+b") as image:
        image.write(os.urandom(100_000))
    shell("cbr", "backup", "restore", backup, "--volume-id", resource)

    # The client shows no task's status: a task has ended when it has an end, and the bytes tell
    # whether it went well.
    tasks = shell.json("cbr", "task", "list")
    task = next(t["id"] for t in tasks if t["operation_type"] == "restore")
    wait_for("restore", lambda: shell.json("cbr", "task", "show", task),
             lambda shown: shown["ended_at"])
    check(pathlib.Path(path).read_bytes() == before, "the image came back byte for byte")

    shell("cbr", "backup", "delete", backup)
    wait_for("backup deletion", lambda: shell.json("cbr", "backup", "list"),
             lambda left: backup not in [b["id"] for b in left])
    shell("cbr", "vault", "dissociate", vault, "--resource", resource)
    shell("cbr", "vault", "delete", "cli-vault")
    wait_for("vault deletion", lambda: shell.json("cbr", "vault", "list"), lambda left: not left)
    print("scenario_openstack: all steps passed")


if __name__ == "__main__":
    main()

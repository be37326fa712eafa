//! The stage of the stories about sharding layers: real servers, and a service that knows them.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use strongroom_e2e::{
    binary::Program,
    service::Service,
    session::{Answer, Session},
    wait,
};
use strongroom_testkit::mariadb::Cluster;
use tempfile::TempDir;

/// A service, and a layer with data nodes that it knows as `layer`.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) service: Service,
    pub(crate) cluster: Cluster,
    pub(crate) instance: String,
    pub(crate) session: Session,
}

/// What is kept of data nodes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// What they are.
    Named,
    /// Their files and logs too.
    Copied,
}

/// Registers a layer; its id.
pub(crate) fn register(
    service: &Service,
    name: &str,
    cluster: &Cluster,
    nodes: Nodes,
) -> Result<String> {
    let url = cluster.layer.url();
    let mut words = vec!["resource", "add", "ddm", name, "--url", &url];
    let (named, folders) = (cluster.node_words(), cluster.folder_words());
    for (node, folder) in named.iter().zip(&folders) {
        words.extend(["--data-node", node]);
        if nodes == Nodes::Copied {
            words.extend(["--node-dir", folder]);
        }
    }
    service.program().last_line(&words)
}

impl Stage {
    /// A layer in front of so many servers, with something in it.
    pub(crate) fn set(count: usize, nodes: Nodes) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let cluster = Cluster::start(folder.path(), "layer", count)?;
        Self::over(folder, cluster, nodes)
    }

    /// The same with servers that run already.
    pub(crate) fn over(folder: TempDir, cluster: Cluster, nodes: Nodes) -> Result<Self> {
        cluster.fill()?;
        let service = Service::start(&folder.path().join("service"))?;
        let instance = register(&service, "layer", &cluster, nodes)?;
        let session = Session::admin(&service)?;
        Ok(Self {
            folder,
            service,
            cluster,
            instance,
            session,
        })
    }

    /// Kills the service and starts another over what it left.
    pub(crate) fn reborn(self) -> Result<Self> {
        self.service.kill()?;
        let service = Service::start(&self.folder.path().join("service"))?;
        Ok(Self {
            session: Session::admin(&service)?,
            service,
            ..self
        })
    }

    /// Kills the service, deletes its catalog and starts another over what is rebuilt.
    pub(crate) fn without_catalog(self) -> Result<Self> {
        self.service.kill()?;
        let place = self.folder.path().join("service");
        for name in ["catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm"] {
            let _ = fs::remove_file(place.join(name));
        }
        let rebuilt = Program::new(&place).run(&["admin", "rebuild-catalog"])?;
        assert!(rebuilt.contains("backups of databases"), "{rebuilt}");
        let service = Service::start(&place)?;
        Ok(Self {
            session: Session::admin(&service)?,
            service,
            ..self
        })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn ddm(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.session.call("ddm", method, path, body)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        let answer = self.ddm("GET", path, None)?;
        if answer.status != 200 {
            bail!("GET {path} answered {} {}", answer.status, answer.body);
        }
        Ok(answer.body)
    }

    pub(crate) fn backup(&self) -> Result<String> {
        self.service
            .program()
            .last_line(&["ddm", "backup", "layer"])
    }

    /// Waits for a job; the job.
    pub(crate) fn job(&self, id: &str) -> Result<Value> {
        wait::until("the end of a job", || {
            let job = self.get(&format!("/v3/{{project}}/jobs/{id}"))?["job"].take();
            Ok((job["status"] != "Running").then_some(job))
        })
    }

    /// Waits for the job that an answer names, which must succeed.
    pub(crate) fn done(&self, answer: &Answer) -> Result<()> {
        let id = answer.body["job_id"].as_str();
        let id = id.with_context(|| format!("no job: {} {}", answer.status, answer.body))?;
        let job = self.job(id)?;
        assert_eq!(job["status"], "Completed", "{job}");
        Ok(())
    }
}

/// An order that must be refused with that code.
pub(crate) fn denied(answer: &Answer, status: u16, code: &str) -> String {
    assert_eq!(
        answer.body["error_code"], code,
        "{} {}",
        answer.status, answer.body
    );
    assert_eq!(answer.status, status, "{}", answer.body);
    answer.body["error_msg"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// Whether some file below the folder holds the text.
pub(crate) fn holds(folder: &Path, text: &str) -> Result<bool> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let found = if path.is_dir() {
            holds(&path, text)?
        } else {
            let bytes = fs::read(&path)?;
            bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

//! Child processes that are this test binary again, running one ignored test as their `main`.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

const STORE: &str = "STRONGROOM_TEST_CHILD_STORE";
const ROLE: &str = "STRONGROOM_TEST_CHILD_ROLE";

/// A running child.
pub(crate) struct Running {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

/// Starts the ignored test `test` of this binary on the store in `directory`.
pub(crate) fn start(test: &str, directory: &Path, role: u64) -> Running {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            test,
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(STORE, directory)
        .env(ROLE, role.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = child.stdin.take().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    Running {
        child,
        input,
        output,
    }
}

/// In a child: the store's directory and the number it was given; `None` if this is no child.
pub(crate) fn task() -> Option<(PathBuf, u64)> {
    let role = env::var(ROLE).ok()?.parse().unwrap();
    Some((env::var_os(STORE)?.into(), role))
}

/// In a child: tells the parent something, at once.
pub(crate) fn tell(word: &str, number: u64) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "@{word} {number}").unwrap();
    output.flush().unwrap();
}

/// In a child: waits until the parent says go.
pub(crate) fn await_go() {
    tell("ready", 0);
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

impl Running {
    /// Lets a child go on that waits for it.
    pub(crate) fn go(&mut self) {
        self.input.write_all(b"go\n").unwrap();
        self.input.flush().unwrap();
    }

    /// The next number the child tells under `word`; `None` when it has ended.
    pub(crate) fn next(&mut self, word: &str) -> Option<u64> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The test harness writes to the same stream, also on the same line.
            let told = line
                .split_once(&format!("@{word} "))
                .map(|(_, number)| number.trim());
            // A line that the kill cut off tells nothing.
            if let Some(number) = told.filter(|_| line.ends_with('\n')) {
                return Some(number.parse().unwrap());
            }
        }
    }

    /// Kills the child as a crash would and returns what else it had told under `word`.
    pub(crate) fn kill(mut self, word: &str) -> Vec<u64> {
        self.child.kill().unwrap();
        let told = std::iter::from_fn(|| self.next(word)).collect();
        self.child.wait().unwrap();
        told
    }

    /// Waits for the child to end well and returns what else it had told under `word`.
    pub(crate) fn finish(mut self, word: &str) -> Vec<u64> {
        let told = std::iter::from_fn(|| self.next(word)).collect();
        assert!(self.child.wait().unwrap().success());
        told
    }
}

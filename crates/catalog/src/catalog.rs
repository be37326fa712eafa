//! The handle of a catalog: open, read, write, check, copy.

use std::{
    cell::Cell,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    backend::{Backend, Verdict},
    error::{Error, Result},
    sqlite::Sqlite,
    tx::Tx,
};

/// What the service remembers. Cheap to clone: a handle.
///
/// All use goes through [`read`](Self::read) and [`write`](Self::write), which run a closure in
/// a transaction. A thread is in at most one transaction at a time.
#[derive(Clone)]
pub struct Catalog(Arc<dyn Backend>, Arc<AtomicU64>);

impl Catalog {
    /// Opens the catalog in that file; makes the file, private to its owner, if there is none.
    ///
    /// Brings an older schema up to date. Fails with [`Error::Foreign`], [`Error::Corrupt`],
    /// [`Error::TooNew`] or [`Error::MigrationAltered`] without changing the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Ok(Self::over(Sqlite::open(path.as_ref())?))
    }

    /// A catalog that is gone with its last handle; for tests and trials.
    pub fn memory() -> Result<Self> {
        Ok(Self::over(Sqlite::memory()?))
    }

    fn over(database: Sqlite) -> Self {
        Self(Arc::new(database), Arc::default())
    }

    /// How many statements were run through this handle and its clones: what work costs, whatever
    /// the machine.
    pub fn statements(&self) -> u64 {
        self.1.load(Ordering::Relaxed)
    }

    /// Runs `body` on one unchanging view of the catalog.
    pub fn read<T, E: From<Error>>(
        &self,
        body: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _alone = Alone::enter()?;
        let mut body = Some(body);
        let mut answer = None;
        let done = self.0.read(&mut |session| {
            let body = body.take().expect("a backend runs the body once");
            let tx = Tx::new(session);
            answer = Some(body(&tx));
            self.1.fetch_add(tx.statements(), Ordering::Relaxed);
        });
        finish(answer, done)
    }

    /// As [`read`](Self::read), for a body that runs one statement, which sees one state of the
    /// catalog by itself. Two would see two.
    pub fn glance<T, E: From<Error>>(
        &self,
        body: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _alone = Alone::enter()?;
        let mut body = Some(body);
        let mut answer = None;
        let done = self.0.glance(&mut |session| {
            let body = body.take().expect("a backend runs the body once");
            let tx = Tx::new(session);
            answer = Some(body(&tx));
            debug_assert!(tx.statements() <= 1, "a glance is one statement");
            self.1.fetch_add(tx.statements(), Ordering::Relaxed);
        });
        finish(answer, done)
    }

    /// Whether a reader would begin at once, and not wait for others to end. True may be false a
    /// moment later; it is for choosing who may wait, not for correctness.
    pub fn is_free(&self) -> bool {
        self.0.is_free()
    }

    /// Runs `body` alone among all writers, of other processes too.
    ///
    /// What it wrote is durable when `Ok` is returned. When it returns `Err` or panics, or when
    /// the catalog cannot store it ([`Error::NoSpace`]), all of it is undone.
    pub fn write<T, E: From<Error>>(
        &self,
        body: impl FnOnce(&Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let _alone = Alone::enter()?;
        let mut body = Some(body);
        let mut answer = None;
        let done = self.0.write(&mut |session| {
            let body = body.take().expect("a backend runs the body once");
            let tx = Tx::new(session);
            let result = body(&tx);
            self.1.fetch_add(tx.statements(), Ordering::Relaxed);
            let verdict = if result.is_ok() {
                Verdict::Commit
            } else {
                Verdict::Rollback
            };
            answer = Some(result);
            verdict
        });
        finish(answer, done)
    }

    /// Looks for damage: in the database's structure, in the ties between rows, and in every
    /// value of every row. An empty list is good news. Reads everything.
    pub fn check(&self) -> Result<Vec<String>> {
        let mut problems = self.0.check()?;
        if problems.is_empty() {
            self.read::<_, Error>(|tx| crate::check::rows(tx, &mut problems))?;
        }
        Ok(problems)
    }

    /// Writes a consistent copy to a new file, private to its owner, while the service goes on.
    ///
    /// The copy is checked and durable when `Ok` is returned; until then it has another name.
    pub fn copy_to(&self, path: impl AsRef<Path>) -> Result<()> {
        self.0.copy_to(path.as_ref())
    }

    /// Takes what deleted rows left behind out of the write-ahead log, so that for instance a
    /// destroyed key is nowhere in the files any more. Waits for running transactions.
    pub fn fold_log(&self) -> Result<()> {
        self.0.fold_log()
    }

    /// Where the catalog is, for messages.
    pub fn describe(&self) -> String {
        self.0.describe()
    }
}

/// The body's own failure says more than what became of its transaction.
fn finish<T, E: From<Error>>(answer: Option<Result<T, E>>, done: Result<()>) -> Result<T, E> {
    match (answer, done) {
        (Some(Err(error)), _) => Err(error),
        (_, Err(error)) => Err(error.into()),
        (Some(answer), Ok(())) => answer,
        (None, Ok(())) => unreachable!("a backend that reports success has run the body"),
    }
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Catalog({})", self.describe())
    }
}

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Says that this thread is in a transaction. A second one could wait for the first for ever.
struct Alone;

impl Alone {
    fn enter() -> Result<Self> {
        if BUSY.replace(true) {
            Err(Error::Nested)
        } else {
            Ok(Self)
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

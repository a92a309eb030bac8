//! Locks taken, refused and left behind, between processes that are there.

use std::env;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Lines;
use std::process::Child;
use std::process::ChildStdin;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;

use super::*;
use crate::store::disk::scratch::Scratch;

/// 2026-01-01T00:00:00Z.
const NOW: Millis = Millis(1_767_225_600_000);
/// Where a process that is this test binary takes the lock and keeps it.
const ROOT: &str = "SHARDSTREAM_TEST_LOCK_ROOT";
/// Set where that process has a child that has the lock's file open, too.
const WITH_CHILD: &str = "SHARDSTREAM_TEST_LOCK_WITH_CHILD";

fn take(root: &Path) -> Result<Lock, StoreError> {
    Lock::take(root, NOW)
}

/// Who holds the lock of a store.
fn holder(root: &Path) -> String {
    match take(root) {
        Err(StoreError::Locked { path, holder }) => {
            assert_eq!(path, root.display().to_string());
            holder
        }
        other => panic!("it is not locked: {other:?}"),
    }
}

fn named(process: u32) -> String {
    format!("process {process} on {} since 2026-01-01T00:00:00Z", host())
}

/// What a child made by `fork` has of a lock, were it this process's: the same open file, and another opener.
fn inherited(lock: &Lock) -> Lock {
    Lock { file: lock.file.try_clone().unwrap(), opener: process::id() + 1 }
}

/// A process that holds the lock until its input ends.
struct Keeper {
    process: Child,
    /// Read to the line that says that it holds the lock; open for what it says at its end.
    told: Lines<BufReader<ChildStdout>>,
}

impl Keeper {
    fn new(root: &Path, with_child: bool) -> Self {
        let test = "store::lock::tests::holder_is_named_for_as_long_as_it_holds";
        let mut command = Command::new(env::current_exe().unwrap());
        command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ROOT, root);
        if with_child {
            command.env(WITH_CHILD, "1");
        }
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut told = BufReader::new(process.stdout.take().unwrap()).lines();
        assert!(told.any(|line| line.unwrap().ends_with("held")), "it takes the lock");
        Self { process, told }
    }

    fn id(&self) -> u32 {
        self.process.id()
    }

    /// Lets it end.
    fn end(mut self) {
        drop(self.process.stdin.take());
        let told: Vec<String> = self.told.map(Result::unwrap).collect();
        assert!(self.process.wait().unwrap().success(), "{told:?}");
    }

    /// Ends it by SIGKILL and returns what keeps its input open.
    fn kill(mut self) -> ChildStdin {
        let input = self.process.stdin.take().unwrap();
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        input
    }
}

#[test]
fn holder_is_named_for_as_long_as_it_holds() {
    if let Some(root) = env::var_os(ROOT) {
        let lock = take(Path::new(&root)).unwrap();
        return keep(&lock);
    }
    let scratch = Scratch::new();
    let lock = take(scratch.path()).unwrap();
    assert_eq!(holder(scratch.path()), named(process::id()));
    drop(lock);
    take(scratch.path()).unwrap();
}

/// Tells the test that made this process that the lock is held, and returns when that test ends the input.
fn keep(lock: &Lock) {
    let child = env::var_os(WITH_CHILD).map(|_| {
        // Has our input and the lock's file, writes nothing, and ends with the input.
        Command::new("cat").stdout(lock.file.try_clone().unwrap()).spawn().unwrap()
    });
    println!("held");
    io::copy(&mut io::stdin(), &mut io::sink()).unwrap();
    if let Some(mut child) = child {
        child.wait().unwrap();
    }
}

#[test]
fn another_process_is_named_and_gives_the_lock_back_at_its_end() {
    let scratch = Scratch::new();
    let keeper = Keeper::new(scratch.path(), false);
    assert_eq!(holder(scratch.path()), named(keeper.id()));
    keeper.end();
    take(scratch.path()).unwrap();
}

#[test]
fn lock_of_a_process_that_was_killed_is_free() {
    let scratch = Scratch::new();
    for _ in 0..3 {
        let keeper = Keeper::new(scratch.path(), false);
        assert_eq!(holder(scratch.path()), named(keeper.id()));
        keeper.kill();
    }
    take(scratch.path()).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn lock_that_a_child_kept_when_its_process_was_killed_is_said_to_be_the_childs() {
    let scratch = Scratch::new();
    let keeper = Keeper::new(scratch.path(), true);
    let process = named(keeper.id());
    assert_eq!(holder(scratch.path()), process);
    let input = keeper.kill();
    let expected = format!("a child of {process}, which has ended");
    assert_eq!(holder(scratch.path()), expected);
    drop(input);
    // Waits for the child to end. Unlocked by name: a process that another test forks meanwhile has this file, too, until it
    // is another program.
    let file = File::open(scratch.path().join(NAME)).unwrap();
    file.lock().unwrap();
    file.unlock().unwrap();
    take(scratch.path()).unwrap();
}

#[test]
fn child_is_refused_and_named_apart_from_its_parent() {
    let scratch = Scratch::new();
    let lock = take(scratch.path()).unwrap();
    assert_eq!(lock.check_process(), Ok(()));
    let forked = StoreError::Forked { opener: process::id() + 1, process: process::id() };
    assert_eq!(inherited(&lock).check_process(), Err(forked));
}

#[test]
fn child_that_ends_takes_no_lock_from_its_parent() {
    let scratch = Scratch::new();
    let lock = take(scratch.path()).unwrap();
    drop(inherited(&lock));
    assert_eq!(holder(scratch.path()), named(process::id()));
}

#[test]
fn child_that_lives_on_keeps_no_lock_that_was_given_back() {
    let scratch = Scratch::new();
    let lock = take(scratch.path()).unwrap();
    let child = inherited(&lock);
    drop(lock);
    let again = take(scratch.path()).unwrap();
    drop(child);
    assert_eq!(holder(scratch.path()), named(process::id()));
    drop(again);
}

#[test]
fn line_that_says_nothing_names_nobody() {
    let scratch = Scratch::new();
    let _lock = take(scratch.path()).unwrap();
    let long = format!("{{\"pid\":{}1}}", " ".repeat(1 << 20));
    for line in ["", "{\"pid\":1}", "\u{0}\u{0}", &long] {
        fs::write(scratch.path().join(NAME), line).unwrap();
        assert_eq!(holder(scratch.path()), "another process");
    }
}

#[test]
fn process_of_another_machine_is_not_looked_for_here() {
    let ended = |pid, host: String| Holder { pid, host, since: NOW.to_string() }.has_ended();
    assert!(!ended(process::id(), host()));
    // Larger than any that Linux gives.
    assert_eq!(ended(u32::MAX, host()), cfg!(target_os = "linux"));
    assert!(!ended(u32::MAX, format!("not {}", host())));
}

#[test]
fn folder_that_is_not_there_is_named() {
    let scratch = Scratch::new();
    let error = take(&scratch.path().join("gone")).unwrap_err().to_string();
    assert!(error.starts_with("cannot open") && error.contains("gone"), "{error}");
}

#[test]
fn line_of_a_longer_holder_leaves_nothing_behind() {
    let scratch = Scratch::new();
    fs::write(scratch.path().join(NAME), "x".repeat(500)).unwrap();
    let _lock = take(scratch.path()).unwrap();
    assert_eq!(holder(scratch.path()), named(process::id()));
    let line = fs::read_to_string(scratch.path().join(NAME)).unwrap();
    assert_eq!(line.lines().count(), 1, "{line}");
}

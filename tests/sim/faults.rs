//! Faults besides crashes: syncs that fail, disks that are full, and bits that turn around.

use std::sync::Arc;

use shardstream::engine::EngineError;
use shardstream::engine::snapshot::Target;
use shardstream::store::Disk;
use shardstream::store::StoreError;
use shardstream::store::disk::files::Files;

use crate::run::Refused;
use crate::run::Run;
use crate::seen::Seen;
use crate::simulated::Simulated;
use crate::world::World;

const COMMANDS: usize = 25;

/// Steps of a seed's workload on a disk without faults.
fn steps(seed: u64) -> u64 {
    let mut run = Run::new(seed);
    run.work(COMMANDS).expect("the disk is well");
    run.disk.steps()
}

/// Steps at which something fails, some apart.
fn some_steps(seed: u64) -> impl Iterator<Item = u64> {
    (20 + seed % 3..steps(seed)).step_by(3)
}

fn lost_power(run: &mut Run) -> Simulated {
    let mut dice = run.dice.fork();
    run.disk.survive(&mut || dice.roll())
}

fn assert_recovers(mut run: Run, refused: Option<&Refused>) {
    run.assert_held(run.disk.killed(), refused);
    for _ in 0..3 {
        let disk = lost_power(&mut run);
        run.assert_held(disk, refused);
    }
}

#[test]
fn crash_that_the_engine_sees_leaves_it_to_its_readers() {
    for seed in 300..304 {
        for step in some_steps(seed) {
            let mut run = Run::new(seed);
            run.disk.crash_at(step);
            let refused = run.work(COMMANDS).err();
            // Who reads is told what was acknowledged, and nothing that was not.
            run.assert_seen(&run.look(), refused.as_deref());
            assert_recovers(run, refused.as_deref());
        }
    }
}

#[test]
fn sync_that_failed_ends_the_writes_and_loses_nothing() {
    let mut poisoned = 0;
    for seed in 310..316 {
        for step in some_steps(seed) {
            let mut run = Run::new(seed);
            run.disk.fail_sync_at(step);
            let Err(refused) = run.work(COMMANDS) else {
                assert_recovers(run, None);
                continue;
            };
            run.assert_seen(&run.look(), Some(&refused));
            if matches!(refused.error, StoreError::Poisoned { .. }) {
                let again = run.world.act(&refused.command);
                assert!(
                    again.is_err(),
                    "seed {seed}, step {step}: {refused:?}, and then {again:?}"
                );
                poisoned += 1;
            }
            assert_recovers(run, Some(&refused));
        }
    }
    assert!(10 < poisoned, "{poisoned}");
}

#[test]
fn full_disk_refuses_what_does_not_fit_and_goes_on_once_there_is_room() {
    let mut full = 0;
    for seed in 320..350 {
        let mut run = Run::new(seed);
        let before = run.dice.below(COMMANDS);
        run.work(before).expect("there is room");
        let used: usize = run.disk.contents().values().map(Vec::len).sum();
        run.disk.full_after((used + run.dice.below(3_000)) as u64);
        for _ in 0..2 * COMMANDS {
            let Err(refused) = run.step() else { continue };
            let is_full = matches!(refused.error, StoreError::Full { .. });
            assert!(is_full, "seed {seed}: {refused:?}");
            // Nothing of the call was stored.
            let seen = run.look();
            run.assert_seen(&seen, Some(&refused));
            if refused.command.bulk().is_some() {
                run.assert_seen(&seen, None);
            }
            run.model.seen = seen;
            full += 1;
        }
        run.assert_held(run.disk.killed(), None);
        run.disk.full_after(u64::MAX);
        let again = run.work(COMMANDS);
        assert!(again.is_ok(), "seed {seed}: {again:?}");
        assert_recovers(run, None);
    }
    assert!(10 < full, "{full}");
}

#[test]
fn bit_that_turned_around_is_noticed_or_does_no_harm() {
    let (mut noticed, mut harmless) = (0, 0);
    for seed in 360..368 {
        let mut run = Run::new(seed);
        run.work(COMMANDS).expect("the disk is well");
        run.world.engine.close().expect("the disk is well");
        let held = run.model.seen.at(run.world.now_ms());
        let files: Vec<(String, usize)> =
            run.disk.contents().into_iter().map(|(path, bytes)| (path, bytes.len())).collect();
        for _ in 0..60 {
            let (path, len) = &files[run.dice.below(files.len())];
            // Behind its beginning, the journal is room ahead.
            let bytes = if path.starts_with("@journal/") { (*len).min(4_000) } else { *len };
            let bit = run.dice.below(bytes * 8);
            let disk = run.disk.killed();
            disk.flip_bit(path, bit as u64);
            let what = format!("seed {seed}, bit {bit} of {path}");
            let opened = World::open(run.plan, Arc::new(disk), run.world.now_ms());
            match opened.and_then(|world| Seen::of(&world.engine)) {
                Ok(found) => {
                    assert_eq!(found, held, "{what}");
                    harmless += 1;
                }
                Err(EngineError::Store(StoreError::Damaged { .. } | StoreError::TooNew { .. })) => {
                    noticed += 1;
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
    assert!(100 < noticed && 0 < harmless, "{noticed} noticed, {harmless} harmless");
}

/// What a copy of a store shows: streams without consumers, and nothing under way.
fn as_copied(mut seen: Seen) -> Seen {
    for stream in seen.streams.values_mut() {
        stream.consumers.clear();
        stream.status = "ACTIVE";
    }
    seen
}

#[test]
fn snapshot_is_the_store_as_it_was() {
    let folder = std::env::temp_dir().join(format!("shardstream-sim-{}", std::process::id()));
    for seed in 370..378 {
        let mut run = Run::new(seed);
        run.work(COMMANDS).expect("the disk is well");
        let root = folder.join(seed.to_string());
        std::fs::create_dir_all(&root).expect("there is room");
        let disk: Arc<dyn Disk> = Arc::new(Files::new(root.clone()));
        let store = run.plan.store(Arc::clone(&disk));
        let taken = run.world.engine.snapshot(run.world.engine.now(), Target { store, root });
        let held = as_copied(run.look());
        // What comes after is not in it.
        let more = run.work(5);
        let opened = World::open(run.plan, disk, run.world.now_ms());
        let found = opened.and_then(|world| Seen::of(&world.engine));
        assert!(taken.is_ok() && more.is_ok(), "seed {seed}: {taken:?}, {more:?}");
        assert_eq!(found.map(as_copied), Ok(held.at(run.world.now_ms())), "seed {seed}");
    }
    std::fs::remove_dir_all(&folder).expect("it is there");
}

//! The simulated disk keeps its promises: what it loses, what it keeps, and when it fails.

mod simulated;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::io::ErrorKind;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::process;

use shardstream::store::Disk;
use shardstream::store::DiskFile;
use shardstream::store::disk::files::Files;

use simulated::Simulated;
use simulated::splitmix64;

/// Makes a file that holds this; nothing is synced.
fn write(disk: &dyn Disk, path: &str, bytes: &[u8]) -> Box<dyn DiskFile> {
    let mut file = disk.create(path).expect("the folder is there");
    file.write_at(0, bytes).expect("there is room");
    file
}

/// Makes a file that holds this and survives.
fn keep(disk: &Simulated, path: &str, bytes: &[u8]) -> Box<dyn DiskFile> {
    let mut file = write(disk, path, bytes);
    file.sync().expect("no fault is planned");
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    disk.sync_folder(folder).expect("the folder is there");
    file
}

fn read(disk: &dyn Disk, path: &str) -> Vec<u8> {
    disk.read_at(path, 0, usize::MAX).expect("the file is there")
}

/// Collects what a thousand losses of power leave.
fn left<T: Ord>(disk: &Simulated, look: impl Fn(&Simulated) -> T) -> BTreeSet<T> {
    (0..1000).map(|seed| look(&disk.survive(&mut splitmix64(seed)))).collect()
}

/// What a thousand losses of power leave of a file: its bytes, or none where it is not there.
fn left_of(disk: &Simulated, path: &str) -> BTreeSet<Option<Vec<u8>>> {
    left(disk, |disk| disk.contents().remove(path))
}

fn texts(texts: &[&str]) -> BTreeSet<Option<Vec<u8>>> {
    texts.iter().map(|text| Some(text.as_bytes().to_vec())).collect()
}

fn refusal<T>(result: io::Result<T>) -> ErrorKind {
    result.err().expect("it is refused").kind()
}

#[test]
fn what_is_written_is_seen_at_once() {
    let disk = Simulated::new();
    disk.create_folder("a/b").unwrap();
    let mut file = write(&disk, "a/b/c", b"abc");
    file.write_at(4, b"e").unwrap();
    assert_eq!(read(&disk, "a/b/c"), b"abc\0e");
    assert_eq!(disk.read_at("a/b/c", 1, 2).unwrap(), b"bc");
    assert_eq!(disk.read_at("a/b/c", 9, 2).unwrap(), b"");
    file.set_len(2).unwrap();
    assert_eq!(disk.map("a/b/c").unwrap().as_ref(), b"ab");
    assert_eq!(disk.len("a/b/c").unwrap(), 2);
    let names = disk.list("a").unwrap();
    assert_eq!(
        names.iter().map(|n| (n.name.as_str(), n.is_folder)).collect::<Vec<_>>(),
        [("b", true)]
    );
}

#[test]
fn what_was_synced_survives_every_loss_of_power() {
    let disk = Simulated::new();
    let mut file = keep(&disk, "a", b"abc");
    file.set_len(2).unwrap();
    file.write_at(4, b"e").unwrap();
    file.sync().unwrap();
    assert_eq!(left_of(&disk, "a"), texts(&["ab\0\0e"]));
}

#[test]
fn write_that_was_not_synced_is_whole_gone_or_torn_at_any_byte() {
    let disk = Simulated::new();
    let mut file = keep(&disk, "a", b"....");
    file.write_at(1, b"XYZ").unwrap();
    let within = [
        "....", ".X..", ".XY.", ".XYZ", // a beginning
        "...Z", "..YZ", ".X.Z", // a beginning and an end, and a hole between them
    ];
    assert_eq!(left_of(&disk, "a"), texts(&within));

    file.sync().unwrap();
    file.write_at(5, b"UV").unwrap();
    let beyond = [".XYZ", ".XYZ\0U", ".XYZ\0UV", ".XYZ\0\0\0", ".XYZ\0U\0", ".XYZ\0\0V"];
    assert_eq!(left_of(&disk, "a"), texts(&beyond));
}

#[test]
fn each_of_many_writes_survives_or_not_by_itself() {
    let disk = Simulated::new();
    let mut file = keep(&disk, "a", b"...");
    for (at, byte) in [b"X", b"Y", b"Z"].into_iter().enumerate() {
        file.write_at(at as u64, byte).unwrap();
    }
    let any = ["...", "X..", ".Y.", "..Z", "XY.", "X.Z", ".YZ", "XYZ"];
    assert_eq!(left_of(&disk, "a"), texts(&any));
}

#[test]
fn length_that_was_not_synced_is_the_old_or_the_new() {
    let disk = Simulated::new();
    let mut file = keep(&disk, "a", b"abc");
    file.set_len(1).unwrap();
    file.write_at(1, b"X").unwrap();
    assert_eq!(left_of(&disk, "a"), texts(&["abc", "a", "aXc", "aX", "a\0"]));
}

#[test]
fn name_that_was_not_synced_may_be_lost_though_the_bytes_were() {
    let disk = Simulated::new();
    let mut file = write(&disk, "a", b"abc");
    file.sync().unwrap();
    assert_eq!(left_of(&disk, "a"), BTreeSet::from([None, Some(b"abc".to_vec())]));
    disk.sync_folder("").unwrap();
    assert_eq!(left_of(&disk, "a"), texts(&["abc"]));
}

#[test]
fn name_that_was_synced_says_nothing_of_the_bytes() {
    let disk = Simulated::new();
    write(&disk, "a", b"a");
    disk.sync_folder("").unwrap();
    assert_eq!(left_of(&disk, "a"), texts(&["", "a", "\0"]));
}

#[test]
fn folder_is_lost_with_all_in_it_until_the_one_above_it_is_synced() {
    let disk = Simulated::new();
    disk.create_folder("a/b").unwrap();
    keep(&disk, "a/b/c", b"abc");
    for folder in ["a", ""] {
        assert!(left_of(&disk, "a/b/c").contains(&None));
        disk.sync_folder(folder).unwrap();
    }
    assert_eq!(left_of(&disk, "a/b/c"), texts(&["abc"]));
}

#[test]
fn renamed_file_has_either_name_both_or_none_until_its_folder_is_synced() {
    let disk = Simulated::new();
    keep(&disk, "a", b"abc");
    disk.rename("a", "b").unwrap();
    let names = |disk: &Simulated| disk.contents().into_keys().collect::<String>();
    assert_eq!(left(&disk, names), ["", "a", "ab", "b"].map(str::to_owned).into());
    disk.sync_folder("").unwrap();
    assert_eq!(left(&disk, names), ["b".to_owned()].into());
}

#[test]
fn renamed_file_replaces_another_or_does_not_but_never_leaves_a_gap() {
    let disk = Simulated::new();
    keep(&disk, "a", b"old");
    keep(&disk, "b", b"new");
    disk.rename("b", "a").unwrap();
    assert_eq!(left_of(&disk, "a"), texts(&["old", "new"]));
}

#[test]
fn removed_names_come_back_until_their_folder_is_synced() {
    let disk = Simulated::new();
    disk.create_folder("a").unwrap();
    keep(&disk, "a/b", b"abc");
    disk.sync_folder("").unwrap();
    disk.remove("a/b").unwrap();
    disk.remove_folder("a").unwrap();
    let is_there = |disk: &Simulated| (disk.list("a").is_ok(), disk.len("a/b").is_ok());
    assert_eq!(left(&disk, is_there), [(false, false), (true, false), (true, true)].into());
    disk.sync_folder("").unwrap();
    assert_eq!(left(&disk, is_there), [(false, false)].into());
}

#[test]
fn changes_of_a_name_are_lost_in_any_order() {
    let disk = Simulated::new();
    for bytes in [b"1", b"2", b"3"] {
        write(&disk, "a", bytes).sync().unwrap();
    }
    let mut any = texts(&["1", "2", "3"]);
    any.insert(None);
    assert_eq!(left_of(&disk, "a"), any);
}

#[test]
fn file_with_two_names_is_one_file() {
    let disk = Simulated::new();
    keep(&disk, "a", b"abc");
    disk.create_folder("b").unwrap();
    disk.sync_folder("").unwrap();
    disk.link("a", "b/a").unwrap();
    let mut file = disk.open("b/a").unwrap();
    file.write_at(0, b"X").unwrap();
    file.sync().unwrap();
    disk.remove("a").unwrap();
    assert_eq!(disk.contents(), BTreeMap::from([("b/a".to_owned(), b"Xbc".to_vec())]));
    let paths = |disk: &Simulated| disk.contents().into_iter().collect::<Vec<_>>();
    let file = |path: &str| (path.to_owned(), b"Xbc".to_vec());
    let any = [vec![], vec![file("a")], vec![file("b/a")], vec![file("a"), file("b/a")]];
    assert_eq!(left(&disk, paths), any.into());
}

#[test]
fn killed_process_leaves_all_it_wrote_to_the_next_and_to_chance() {
    let disk = Simulated::new();
    let mut file = keep(&disk, "a", b"a");
    file.write_at(0, b"X").unwrap();
    write(&disk, "b", b"b");
    disk.crash_at(disk.steps());
    let next = disk.killed();
    assert_eq!(next.contents(), disk.contents());
    // Another disk from here on, without faults; and power can still be lost.
    write(&next, "c", b"c");
    assert!(!disk.contents().contains_key("c"));
    assert_eq!(left_of(&next, "a"), texts(&["a", "X"]));
    assert!(left_of(&next, "b").contains(&None));
}

/// Some of everything that counts as a step.
fn work(disk: &dyn Disk) -> io::Result<()> {
    disk.create_folder("a/b")?;
    let mut file = disk.create("a/b/c")?;
    file.write_at(0, b"abc")?;
    file.set_len(9)?;
    file.sync()?;
    disk.rename("a/b/c", "a/b/d")?;
    disk.link("a/b/d", "a/e")?;
    disk.sync_folder("a/b")?;
    disk.create("a/e")?.write_at(0, b"e")?;
    disk.remove("a/b/d")?;
    disk.remove_folder("a/b")
}

#[test]
fn crash_does_nothing_of_its_step_and_of_no_later_one() {
    let whole = Simulated::new();
    work(&whole).unwrap();
    // Two folders are made one by one, and a file that replaces another takes its name from it first.
    assert_eq!(whole.steps(), 14);
    let mut images = Vec::new();
    for step in 0..whole.steps() {
        let disk = Simulated::new();
        disk.crash_at(step);
        let error = work(&disk).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Other, "crashed"));
        assert_eq!(disk.steps(), step + 1, "it fails at this step");
        let seen = disk.contents();
        assert_eq!(refusal(disk.create_folder("z")), ErrorKind::Other);
        assert_eq!(refusal(disk.sync_folder("")), ErrorKind::Other);
        assert_eq!((disk.list("z").is_err(), disk.contents()), (true, seen.clone()));
        images.push((disk.list("a").map(|names| names.len()).ok(), seen));
    }
    assert_eq!(images[0], (None, BTreeMap::new()));
    // Before the new file of a name that was taken there is none.
    let between = images.iter().filter(|(_, seen)| !seen.contains_key("a/e")).count();
    assert_eq!(between, 8 + 1);
}

#[test]
fn sync_that_failed_is_never_made_up_for() {
    let disk = Simulated::new();
    let mut file = write(&disk, "a", b"ab");
    disk.sync_folder("").unwrap();
    // The first from the second step on, which is no sync.
    disk.fail_sync_at(disk.steps() + 1);
    file.sync().unwrap();
    file.write_at(1, b"XY").unwrap();
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
    assert_eq!(read(&disk, "a"), b"aXY");
    assert_eq!(left_of(&disk, "a"), texts(&["ab"]));
    // Programs see it, a second sync succeeds, and it is lost nevertheless.
    file.write_at(4, b"Z").unwrap();
    file.sync().unwrap();
    assert_eq!(read(&disk, "a"), b"aXY\0Z");
    assert_eq!(left_of(&disk, "a"), texts(&["ab\0\0Z"]));
}

#[test]
fn sync_of_names_that_failed_is_never_made_up_for() {
    let disk = Simulated::new();
    write(&disk, "a", b"").sync().unwrap();
    disk.fail_sync_at(0);
    assert_eq!(disk.sync_folder("").unwrap_err().raw_os_error(), Some(5));
    disk.sync_folder("").unwrap();
    assert_eq!(disk.len("a").unwrap(), 0);
    assert_eq!(left_of(&disk, "a"), [None].into());
}

#[test]
fn full_disk_takes_what_fits_and_grows_no_file() {
    let disk = Simulated::new();
    let mut file = write(&disk, "a", b"abc");
    disk.full_after(5);
    assert_eq!(refusal(file.write_at(2, b"CDEF")), ErrorKind::StorageFull);
    assert_eq!(read(&disk, "a"), b"abCDE");
    assert_eq!(refusal(file.set_len(6)), ErrorKind::StorageFull);
    assert_eq!(refusal(file.write_at(9, b"Z")), ErrorKind::StorageFull);
    file.write_at(0, b"AB").unwrap();
    file.sync().unwrap();
    assert_eq!(read(&disk, "a"), b"ABCDE");
    let mut other = disk.create("b").unwrap();
    assert_eq!(refusal(other.write_at(0, b"b")), ErrorKind::StorageFull);
    assert_eq!(disk.len("b").unwrap(), 0);
}

#[test]
fn room_is_made_by_removing_cutting_and_raising() {
    let disk = Simulated::new();
    disk.full_after(4);
    let mut file = write(&disk, "a", b"abcd");
    disk.link("a", "b").unwrap();
    file.set_len(3).unwrap();
    write(&disk, "c", b"c");
    disk.remove("a").unwrap();
    let mut other = disk.open("c").unwrap();
    assert_eq!(refusal(other.write_at(1, b"C")), ErrorKind::StorageFull);
    disk.remove("b").unwrap();
    other.write_at(1, b"CCC").unwrap();
    assert_eq!(refusal(other.write_at(4, b"C")), ErrorKind::StorageFull);
    disk.full_after(5);
    other.write_at(4, b"C").unwrap();
}

#[test]
fn bit_is_turned_around_for_programs_and_for_good() {
    let disk = Simulated::new();
    keep(&disk, "a", b"ab");
    disk.flip_bit("a", 8);
    assert_eq!(read(&disk, "a"), b"ac");
    assert_eq!(left_of(&disk, "a"), texts(&["ac"]));
}

#[test]
fn those_who_have_a_file_keep_it_when_another_takes_its_name() {
    let disk = Simulated::new();
    let mut opened = keep(&disk, "a", b"old");
    let mapped = disk.map("a").unwrap();
    keep(&disk, "a", b"new!");
    opened.write_at(3, b"er").unwrap();
    assert_eq!(mapped.as_ref(), b"old");
    assert_eq!(read(&disk, "a"), b"new!");
}

#[test]
fn change_of_bytes_that_are_mapped_is_a_mistake_until_the_process_ends() {
    let disk = Simulated::new();
    let mut file = write(&disk, "a", b"abc");
    disk.map("a").unwrap();
    file.write_at(3, b"d").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| file.write_at(2, b"C"))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| file.set_len(2))).is_err());
    assert_eq!(read(&disk, "a"), b"abcd");
    disk.killed().open("a").unwrap().write_at(2, b"C").unwrap();
}

#[test]
fn same_seed_loses_the_same() {
    let disk = Simulated::new();
    for path in ["a", "b", "c", "d"] {
        write(&disk, path, &[7; 1000]);
    }
    let lost = |seed| disk.survive(&mut splitmix64(seed)).contents();
    assert!((0..100).all(|seed| lost(seed) == lost(seed)));
    assert!(10 < (0..100).map(lost).collect::<BTreeSet<_>>().len());
}

#[test]
fn file_is_copied_out_of_the_simulation() {
    let disk = Simulated::new();
    write(&disk, "a", b"abc");
    let out = env::temp_dir().join(format!("shardstream-simulated-{}", process::id()));
    disk.link_out("a", &out).unwrap();
    let (copied, taken) = (fs::read(&out), disk.link_out("a", &out));
    fs::remove_file(&out).unwrap();
    assert_eq!(copied.unwrap(), b"abc");
    assert_eq!(refusal(taken), ErrorKind::AlreadyExists);
    disk.crash_at(0);
    assert_eq!(refusal(disk.link_out("a", &out)), ErrorKind::Other);
    assert!(!out.exists());
}

/// One call by chance, and what it answered.
fn call(
    disk: &dyn Disk,
    opened: &mut Vec<Box<dyn DiskFile>>,
    rng: &mut dyn FnMut() -> u64,
) -> Answer {
    const PATHS: [&str; 7] = ["a", "b", "a/a", "a/b", "b/a", "a/a/a", "b/b/b"];
    let mut below = |bound: u64| usize::try_from(rng() % bound).expect("it is small");
    let (path, other) = (PATHS[below(7)], PATHS[below(7)]);
    let (at, len, which) = (below(9) as u64, below(9), below(4));
    let keep = |file: Box<dyn DiskFile>| opened.push(file);
    // What is for files alone is not asked of folders, and the other way round: systems differ in what they answer, and
    // in why they do not rename.
    let (is_folder, is_file) = (disk.list(path).is_ok(), disk.open(path).is_ok());
    let answer = match below(13) {
        0 => disk.create_folder(path).map(drop),
        1 => disk.create(path).map(keep),
        2 => disk.open(path).map(keep),
        3 if !is_folder => disk.link(path, other),
        4 => disk.remove(path),
        5 => disk.remove_folder(path),
        6 if !is_file => disk.sync_folder(path),
        7 if !is_folder => disk.rename(path, other).map_err(|_| ErrorKind::Other.into()),
        8 if !is_folder => return disk.read_at(path, at, len).map_err(|error| error.kind()),
        9 => return disk.list(path).map(|names| format!("{names:?}").into()).map_err(|e| e.kind()),
        10 if which < opened.len() => opened[which].set_len(at),
        11 if which < opened.len() => opened[which].write_at(at, &vec![b'x'; len]),
        _ if which < opened.len() => opened[which].sync(),
        _ => Ok(()),
    };
    answer.map(|()| Vec::new()).map_err(|error| error.kind())
}

type Answer = Result<Vec<u8>, ErrorKind>;

#[test]
fn programs_see_what_they_would_on_a_disk() {
    let folder = env::temp_dir().join(format!("shardstream-twin-{}", process::id()));
    for seed in 0..300 {
        fs::create_dir(&folder).unwrap();
        let (real, simulated) = (Files::new(folder.clone()), Simulated::new());
        let (mut real_rng, mut simulated_rng) = (splitmix64(seed), splitmix64(seed));
        let (mut real_opened, mut simulated_opened) = (Vec::new(), Vec::new());
        for step in 0..60 {
            let expected = call(&real, &mut real_opened, &mut real_rng);
            let answered = call(&simulated, &mut simulated_opened, &mut simulated_rng);
            assert_eq!(answered, expected, "seed {seed}, call {step}");
        }
        for (path, bytes) in simulated.contents() {
            assert_eq!(bytes, read(&real, &path), "seed {seed}, {path}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }
}

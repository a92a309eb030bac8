//! Files are written, named, mapped and read as the disk's contract says.

use super::*;
use crate::store::disk::scratch::Scratch;

fn files() -> (Scratch, Files) {
    let scratch = Scratch::new();
    let files = Files::new(scratch.path().join("store"));
    files.create_folder("").unwrap();
    (scratch, files)
}

fn write(files: &Files, path: &str, bytes: &[u8]) {
    let mut file = files.create(path).unwrap();
    file.write_at(0, bytes).unwrap();
    file.sync().unwrap();
}

fn read(files: &Files, path: &str) -> Vec<u8> {
    files.read_at(path, 0, usize::MAX).unwrap()
}

fn listed(files: &Files, path: &str) -> Vec<(String, bool)> {
    files.list(path).unwrap().into_iter().map(|name| (name.name, name.is_folder)).collect()
}

fn refusal<T>(result: io::Result<T>) -> ErrorKind {
    result.err().expect("it is refused").kind()
}

#[test]
fn bytes_are_read_where_they_were_written() {
    let (_scratch, files) = files();
    let mut file = files.create("a").unwrap();
    file.write_at(3, b"defg").unwrap();
    file.write_at(0, b"ab").unwrap();
    file.sync().unwrap();
    assert_eq!(files.len("a").unwrap(), 7);
    assert_eq!(read(&files, "a"), b"ab\0defg");
    assert_eq!(files.read_at("a", 4, 2).unwrap(), b"ef");
}

#[test]
fn read_ends_where_the_file_does() {
    let (_scratch, files) = files();
    write(&files, "a", b"abc");
    assert_eq!(files.read_at("a", 2, 9).unwrap(), b"c");
    for offset in [3, 4, u64::MAX] {
        assert_eq!(files.read_at("a", offset, usize::MAX).unwrap(), b"");
    }
    assert_eq!(refusal(files.read_at("b", 0, 1)), ErrorKind::NotFound);
}

#[test]
fn file_is_opened_where_there_is_one_and_keeps_what_it_holds() {
    let (_scratch, files) = files();
    assert_eq!(refusal(files.open("a")), ErrorKind::NotFound);
    write(&files, "a", b"abc");
    files.open("a").unwrap().write_at(1, b"X").unwrap();
    assert_eq!(read(&files, "a"), b"aXc");
}

#[test]
fn file_grows_by_zeros_and_is_cut() {
    let (_scratch, files) = files();
    write(&files, "a", b"abc");
    let mut file = files.open("a").unwrap();
    file.set_len(1).unwrap();
    file.set_len(3).unwrap();
    file.sync().unwrap();
    assert_eq!(read(&files, "a"), b"a\0\0");
}

#[test]
fn those_who_have_a_file_keep_it_when_another_takes_its_name() {
    let (_scratch, files) = files();
    write(&files, "a", b"old");
    let mapped = files.map("a").unwrap();
    write(&files, "a", b"new!");
    assert_eq!(mapped.as_ref(), b"old");
    let mut opened = files.open("a").unwrap();
    write(&files, "a", b"newest");
    opened.write_at(0, b"N").unwrap();
    assert_eq!(read(&files, "a"), b"newest");
}

#[test]
fn map_shows_what_was_written_and_outlives_its_name() {
    let (_scratch, files) = files();
    write(&files, "a", b"abc");
    let mapped = files.map("a").unwrap();
    files.remove("a").unwrap();
    let part = mapped.slice(1..);
    drop(mapped);
    assert_eq!(part.as_ref(), b"bc");
    assert_eq!(refusal(files.map("a")), ErrorKind::NotFound);
}

#[test]
fn empty_file_maps_to_nothing() {
    let (_scratch, files) = files();
    write(&files, "a", b"");
    assert!(files.map("a").unwrap().is_empty());
}

#[test]
fn folders_are_made_with_those_above_them_and_go_when_empty() {
    let (_scratch, files) = files();
    files.create_folder("a/b").unwrap();
    files.create_folder("a/b").unwrap();
    write(&files, "a/b/c", b"");
    files.sync_folder("a/b").unwrap();
    assert_eq!(refusal(files.remove_folder("a/b")), ErrorKind::DirectoryNotEmpty);
    files.remove("a/b/c").unwrap();
    files.remove_folder("a/b").unwrap();
    files.sync_folder("a").unwrap();
    files.sync_folder("").unwrap();
    assert_eq!(listed(&files, "a"), []);
    assert_eq!(refusal(files.sync_folder("a/b")), ErrorKind::NotFound);
}

#[test]
fn names_are_listed_in_order() {
    let (_scratch, files) = files();
    for name in ["b", "@lock", "a.arrow"] {
        write(&files, name, b"");
    }
    files.create_folder("aa").unwrap();
    let expected = [("@lock", false), ("a.arrow", false), ("aa", true), ("b", false)];
    assert_eq!(listed(&files, ""), expected.map(|(name, folder)| (name.to_owned(), folder)));
}

#[cfg(unix)]
#[test]
fn linked_folder_is_a_folder_and_a_link_to_nothing_is_not_there() {
    let (scratch, files) = files();
    let elsewhere = scratch.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, files.root().join("clicks")).unwrap();
    std::os::unix::fs::symlink("nowhere", files.root().join("gone")).unwrap();
    write(&files, "clicks/a", b"abc");
    assert_eq!(listed(&files, ""), [("clicks".to_owned(), true)]);
    assert_eq!(fs::read(elsewhere.join("a")).unwrap(), b"abc");
}

#[cfg(target_os = "linux")]
#[test]
fn name_that_is_no_text_is_not_listed() {
    use std::os::unix::ffi::OsStringExt;
    let (_scratch, files) = files();
    let name = OsString::from_vec(vec![b'a', 0xff]);
    File::create(files.root().join(name)).unwrap();
    write(&files, "b", b"");
    assert_eq!(listed(&files, ""), [("b".to_owned(), false)]);
}

#[test]
fn renamed_file_replaces_the_one_that_had_the_name() {
    let (_scratch, files) = files();
    write(&files, "a", b"old");
    write(&files, "b", b"new");
    files.rename("b", "a").unwrap();
    assert_eq!(read(&files, "a"), b"new");
    assert_eq!(refusal(files.len("b")), ErrorKind::NotFound);
}

#[test]
fn linked_file_has_two_names_and_a_taken_name_is_refused() {
    let (_scratch, files) = files();
    write(&files, "a", b"abc");
    files.create_folder("b").unwrap();
    files.link("a", "b/a").unwrap();
    assert_eq!(refusal(files.link("a", "b/a")), ErrorKind::AlreadyExists);
    files.remove("a").unwrap();
    assert_eq!(read(&files, "b/a"), b"abc");
}

#[test]
fn file_is_linked_out_of_the_folder() {
    let (scratch, files) = files();
    let out = scratch.path().join("out");
    write(&files, "a", b"abc");
    files.link_out("a", &out).unwrap();
    assert_eq!(refusal(files.link_out("a", &out)), ErrorKind::AlreadyExists);
    // One file with two names: what is written to one is read at the other.
    files.open("a").unwrap().write_at(0, b"X").unwrap();
    assert_eq!(fs::read(&out).unwrap(), b"Xbc");
}

#[cfg(target_os = "linux")]
#[test]
fn file_is_copied_to_another_file_system() {
    use std::os::unix::fs::MetadataExt;
    let (scratch, files) = files();
    write(&files, "a", b"abc");
    // The memory that processes share is a file system of its own.
    let out = Path::new("/dev/shm").join(scratch.path().file_name().unwrap());
    files.link_out("a", &out).unwrap();
    let (copied, taken) = (fs::read(&out), files.link_out("a", &out));
    let devices = [files.root(), &out].map(|path| fs::metadata(path).unwrap().dev());
    fs::remove_file(&out).unwrap();
    assert_ne!(devices[0], devices[1], "one file system, and nothing to copy");
    assert_eq!(copied.unwrap(), b"abc");
    assert_eq!(refusal(taken), ErrorKind::AlreadyExists);
}

#[test]
fn copy_is_whole_and_never_takes_a_name_that_is_there() {
    let (scratch, files) = files();
    write(&files, "a", b"abc");
    let out = scratch.path().join("out");
    copy(&files.root().join("a"), &out).unwrap();
    files.open("a").unwrap().write_at(0, b"X").unwrap();
    assert_eq!(fs::read(&out).unwrap(), b"abc");
    assert_eq!(refusal(copy(&files.root().join("a"), &out)), ErrorKind::AlreadyExists);
    assert_eq!(fs::read(&out).unwrap(), b"abc");
}

#[cfg(unix)]
#[test]
fn copy_that_fails_leaves_no_half_of_it() {
    let (scratch, files) = files();
    files.create_folder("a").unwrap();
    let out = scratch.path().join("out");
    // A folder opens like a file, and refuses to be read.
    let refused = copy(&files.root().join("a"), &out);
    assert_eq!(refusal(refused), ErrorKind::IsADirectory);
    assert!(!out.exists());
}

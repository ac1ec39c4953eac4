use std::collections::HashSet;

use super::*;

const KEY: [u8; 32] = [7; 32];

fn open(folder: &Path, bound: u64) -> Spool {
    Spool::open(folder, bound, Arc::new(InstanceKey::new(KEY)), Random::seeded(1)).unwrap()
}

fn record(name: &str) -> Record {
    Record {
        entry: format!(r#"{{"id":"{name}","filler":"{}"}}"#, "x".repeat(300)),
        file: None,
    }
}

fn all(spool: &Spool, mut from: Position) -> (Vec<Record>, u64) {
    let (mut records, mut damaged) = (Vec::new(), 0);
    loop {
        let chunk = spool.read(from, 1_000).unwrap();
        if chunk.next == from {
            return (records, damaged);
        }
        records.extend(chunk.records);
        damaged += chunk.damaged;
        from = chunk.next;
    }
}

fn segments(folder: &Path) -> HashSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(ENDING))
        .collect()
}

#[test]
fn what_is_appended_is_read_in_order_over_segments_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..40).map(|number| format!("r{number}")).collect();
    for some in names.chunks(10) {
        let spool = open(folder.path(), 64 << 10);
        for name in some {
            spool.append(&[record(name), record(&format!("{name}b"))]).unwrap();
        }
        spool.sync().unwrap();
    }
    let spool = open(folder.path(), 64 << 10);
    let (records, damaged) = all(&spool, Position::default());
    let expected: Vec<Record> = names
        .iter()
        .flat_map(|name| [record(name), record(&format!("{name}b"))])
        .collect();
    assert_eq!((records, damaged), (expected, 0));
    assert!(segments(folder.path()).len() > 3);
}

#[test]
fn nothing_lies_open() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), 64 << 10).append(&[record("secret-name")]).unwrap();
    let bytes = fs::read(folder.path().join("1.seg")).unwrap();
    assert!(memchr::memmem::find(&bytes, b"secret-name").is_none());
}

#[test]
fn what_is_stored_is_deleted_and_not_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), 64 << 10);
    for number in 0..60 {
        spool.append(&[record(&format!("r{number}"))]).unwrap();
    }
    let before = segments(folder.path()).len();
    let mut first = Chunk::default();
    while first.records.len() < 30 {
        let more = spool.read(first.next, 2_000).unwrap();
        first.records.extend(more.records);
        first.next = more.next;
    }
    spool.acknowledge(first.next).unwrap();
    assert!(
        spool.acknowledge(Position { segment: 99, offset: 0 }).is_ok(),
        "nothing is there yet"
    );
    assert!(segments(folder.path()).len() < before);
    drop(spool);
    let spool = open(folder.path(), 64 << 10);
    assert_eq!(spool.stored(), first.next);
    let (rest, _) = all(&spool, spool.stored());
    assert_eq!(first.records.len() + rest.len(), 60);
    let end = *spool.ends().borrow();
    spool.acknowledge(end).unwrap();
    spool.append(&[record("next")]).unwrap();
    assert_eq!(all(&spool, spool.stored()).0, [record("next")]);
}

#[test]
fn a_full_spool_takes_nothing_until_some_of_it_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), 64 << 10);
    let mut taken = 0;
    while spool.append(&[record("r")]).is_ok() {
        taken += 1;
    }
    assert!(matches!(spool.append(&[record("r")]), Err(AppendError::Full)));
    let bytes: u64 = segments(folder.path())
        .iter()
        .map(|name| fs::metadata(folder.path().join(name)).unwrap().len())
        .sum();
    assert!(bytes <= 64 << 10, "{bytes}");
    assert_eq!(all(&spool, Position::default()).0.len(), taken);
    spool.acknowledge(*spool.ends().borrow()).unwrap();
    spool.append(&[record("r")]).unwrap();
}

#[test]
fn a_torn_end_is_cut_off_wherever_it_was_torn() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), 64 << 10);
    spool.append(&[record("a")]).unwrap();
    let whole = spool.ends().borrow().offset;
    spool.append(&[record("b")]).unwrap();
    drop(spool);
    let path = folder.path().join("1.seg");
    let bytes = fs::read(&path).unwrap();
    for cut in (whole as usize..bytes.len()).step_by(7) {
        fs::write(&path, &bytes[..cut]).unwrap();
        let spool = open(folder.path(), 64 << 10);
        assert_eq!(all(&spool, Position::default()), (vec![record("a")], 0), "cut at {cut}");
        assert_eq!(fs::metadata(&path).unwrap().len(), whole);
    }
    // What a file system leaves after a power cut: the length is there, the bytes are not.
    let mut holed = bytes.clone();
    holed[whole as usize..].fill(0);
    fs::write(&path, holed).unwrap();
    assert_eq!(all(&open(folder.path(), 64 << 10), Position::default()).0, [record("a")]);
}

#[test]
fn a_harmed_frame_is_passed_over_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path(), 64 << 10);
    spool.append(&[record("a")]).unwrap();
    let at = spool.ends().borrow().offset as usize;
    spool.append(&[record("b"), record("c"), record("d")]).unwrap();
    spool.append(&[record("e")]).unwrap();
    let path = folder.path().join("1.seg");
    let mut bytes = fs::read(&path).unwrap();
    bytes[at + HEAD + 50] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert_eq!(all(&spool, Position::default()), (vec![record("a"), record("e")], 3));
    bytes[at] = 255;
    bytes[at + 3] = 255;
    fs::write(&path, &bytes).unwrap();
    let (records, damaged) = all(&spool, Position::default());
    assert_eq!(
        (records, damaged > 0),
        (vec![record("a")], true),
        "where the next one begins is not known"
    );
}

#[test]
fn one_process_has_a_spool() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path(), 64 << 10);
    let again = Spool::open(folder.path(), 64 << 10, Arc::new(InstanceKey::new(KEY)), Random::seeded(1));
    assert!(matches!(again, Err(SpoolError::Taken(_))));
    let id = first.id().to_owned();
    drop(first);
    assert_eq!(open(folder.path(), 64 << 10).id(), id);
}

#[test]
fn another_key_reads_nothing() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path(), 64 << 10).append(&[record("a"), record("b")]).unwrap();
    let other = Spool::open(
        folder.path(),
        64 << 10,
        Arc::new(InstanceKey::new([8; 32])),
        Random::seeded(1),
    )
    .unwrap();
    assert_eq!(all(&other, Position::default()), (vec![], 2));
}

//! Files that the server wrote, files written here by hand, and broken ones.

use proptest::prelude::*;

use super::super::message::{Ask, Opened, Sort, Tell, View, Work};
use super::super::{Problem, Session};
use crate::model::export::Format;

/// Written by the server's own encoder; beside it the same rows as its CSV.
const SERVER: &[u8] = include_bytes!("server.parquet");
const SERVER_CSV: &[u8] = include_bytes!("server.csv");

/// A column's values; `None` where a row has none.
#[derive(Clone, Debug)]
enum Column {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
}

/// How a file is written.
#[derive(Clone, Copy, Debug)]
struct Shape {
    group: usize,
    page: usize,
    zstd: bool,
    /// Levels as bits instead of runs.
    bits: bool,
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A structure's fields in order: number, type, what it is.
enum Of {
    Number(u8, i64),
    Bytes(Vec<u8>),
    Structs(Vec<Vec<u8>>),
    Struct(Vec<u8>),
}

fn thrift(fields: &[(u8, Of)]) -> Vec<u8> {
    let (mut out, mut last) = (Vec::new(), 0);
    for (id, of) in fields {
        let kind = match of {
            Of::Number(kind, _) => *kind,
            Of::Bytes(_) => 8,
            Of::Structs(_) => 9,
            Of::Struct(_) => 12,
        };
        out.push((id - last) << 4 | kind);
        last = *id;
        match of {
            Of::Number(_, number) => varint(((number << 1) ^ (number >> 63)) as u64, &mut out),
            Of::Bytes(bytes) => {
                varint(bytes.len() as u64, &mut out);
                out.extend_from_slice(bytes);
            }
            Of::Structs(all) => {
                out.push(0xfc);
                varint(all.len() as u64, &mut out);
                for one in all {
                    out.extend_from_slice(one);
                }
            }
            Of::Struct(one) => out.extend_from_slice(one),
        }
    }
    out.push(0);
    out
}

const I32: u8 = 5;
const I64: u8 = 6;

fn int(number: usize) -> Of {
    Of::Number(I32, number as i64)
}

fn long(number: usize) -> Of {
    Of::Number(I64, number as i64)
}

/// Optional columns c0, c1, … as the server writes them.
fn written(columns: &[Column], shape: Shape) -> Vec<u8> {
    let rows = columns.first().map_or(0, |column| match column {
        Column::Texts(texts) => texts.len(),
        Column::Numbers(numbers) => numbers.len(),
    });
    let mut file = b"PAR1".to_vec();
    let mut groups = Vec::new();
    for start in (0..rows).step_by(shape.group) {
        let end = rows.min(start + shape.group);
        let chunks: Vec<Vec<u8>> = columns
            .iter()
            .map(|column| chunk(column, start, end, shape, &mut file))
            .collect();
        groups.push(thrift(&[(1, Of::Structs(chunks)), (2, long(9)), (3, long(end - start))]));
    }
    let mut schema = vec![thrift(&[(4, Of::Bytes(b"records".to_vec())), (5, int(columns.len()))])];
    schema.extend(columns.iter().enumerate().map(|(place, column)| {
        let name = Of::Bytes(format!("c{place}").into_bytes());
        match column {
            Column::Texts(_) => thrift(&[(1, int(6)), (3, int(1)), (4, name), (6, int(0))]),
            Column::Numbers(_) => thrift(&[(1, int(2)), (3, int(1)), (4, name)]),
        }
    }));
    close(file, schema, groups, rows)
}

fn close(mut file: Vec<u8>, schema: Vec<Vec<u8>>, groups: Vec<Vec<u8>>, rows: usize) -> Vec<u8> {
    let footer = thrift(&[
        (1, int(1)),
        (2, Of::Structs(schema)),
        (3, long(rows)),
        (4, Of::Structs(groups)),
        (6, Of::Bytes(b"by hand".to_vec())),
    ]);
    file.extend_from_slice(&footer);
    file.extend_from_slice(&(footer.len() as u32).to_le_bytes());
    file.extend_from_slice(b"PAR1");
    file
}

fn chunk(column: &Column, start: usize, end: usize, shape: Shape, file: &mut Vec<u8>) -> Vec<u8> {
    let (at, mut unpacked) = (file.len(), 0);
    for from in (start..end).step_by(shape.page) {
        let until = end.min(from + shape.page);
        let page = page(column, from, until, shape.bits);
        unpacked += page.len();
        let packed = if shape.zstd {
            ruzstd::encoding::compress_to_vec(page.as_slice(), ruzstd::encoding::CompressionLevel::Fastest)
        } else {
            page.clone()
        };
        let data = thrift(&[(1, int(until - from)), (2, int(0)), (3, int(3)), (4, int(3))]);
        let header = [
            (1, int(0)),
            (2, int(page.len())),
            (3, int(packed.len())),
            (5, Of::Struct(data)),
        ];
        file.extend_from_slice(&thrift(&header));
        file.extend_from_slice(&packed);
    }
    let kind = if matches!(column, Column::Texts(_)) { 6 } else { 2 };
    let meta = thrift(&[
        (1, int(kind)),
        (4, int(if shape.zstd { 6 } else { 0 })),
        (5, long(end - start)),
        (6, long(unpacked)),
        (7, long(file.len() - at)),
        (9, long(at)),
    ]);
    thrift(&[(2, long(0)), (3, Of::Struct(meta))])
}

fn page(column: &Column, from: usize, until: usize, bits: bool) -> Vec<u8> {
    let (mut there, mut values) = (Vec::new(), Vec::new());
    match column {
        Column::Texts(texts) => {
            for text in &texts[from..until] {
                there.push(text.is_some());
                if let Some(text) = text {
                    values.extend_from_slice(&(text.len() as u32).to_le_bytes());
                    values.extend_from_slice(text.as_bytes());
                }
            }
        }
        Column::Numbers(numbers) => {
            for number in &numbers[from..until] {
                there.push(number.is_some());
                values.extend(number.iter().flat_map(|number| number.to_le_bytes()));
            }
        }
    }
    let mut levels = Vec::new();
    if bits {
        varint((there.len().div_ceil(8) << 1 | 1) as u64, &mut levels);
        levels.extend(there.chunks(8).map(|eight| {
            let bit = |(place, is): (usize, &bool)| u8::from(*is) << place;
            eight.iter().enumerate().map(bit).sum::<u8>()
        }));
    } else {
        for run in there.chunk_by(|one, other| one == other) {
            varint((run.len() << 1) as u64, &mut levels);
            levels.push(run[0].into());
        }
    }
    [&(levels.len() as u32).to_le_bytes()[..], &levels, &values].concat()
}

fn opened(file: &[u8], format: Format) -> Opened {
    Opened {
        format,
        fields: vec!["of the page".to_owned()],
        // Rows are as they were meant: there are no guards to be taken away.
        guarded: true,
        bytes: Some(file.len() as u64),
    }
}

/// Opens a file and works until nothing is left; what was told.
fn open(file: &[u8], chunk: usize) -> (Session, Vec<Tell>) {
    let mut session = Session::new(&opened(file, Format::Parquet));
    let mut told = Vec::new();
    for chunk in file.chunks(chunk.max(1)) {
        told.extend(session.push(chunk).unwrap());
    }
    told.extend(session.end(None));
    while session.is_busy() {
        told.extend(session.work().told);
    }
    (session, told)
}

/// All rows' whole cells.
fn cells(session: &mut Session) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    loop {
        let told = session.answer(Ask::Rows {
            from: all.len() as u32,
            count: 500,
        });
        let [Tell::Rows { rows, .. }] = told.as_slice() else {
            panic!("{told:?}")
        };
        if rows.is_empty() {
            return all;
        }
        for line in rows {
            let cell = |column: usize| {
                let aim = super::super::message::Aim::Open;
                let (row, column) = (line.row, column as u32);
                match session.answer(Ask::Cell { row, column, aim }).pop() {
                    Some(Tell::Cell { text, .. }) => text,
                    told => panic!("{told:?}"),
                }
            };
            all.push((0..line.cells.len()).map(cell).collect());
        }
    }
}

/// What is wrong, where something is.
fn wrong(told: &[Tell]) -> Option<String> {
    told.iter().find_map(|tell| match tell {
        Tell::Failed(reason) | Tell::Loaded(Some(reason)) => Some(reason.clone()),
        _ => None,
    })
}

fn names(told: &[Tell]) -> Vec<String> {
    let names = told.iter().find_map(|tell| match tell {
        Tell::Columns(columns) => Some(columns.clone()),
        _ => None,
    });
    names.unwrap_or_default()
}

/// The same by going through every value.
fn expected(columns: &[Column]) -> Vec<Vec<String>> {
    let texts: Vec<Vec<String>> = columns
        .iter()
        .map(|column| match column {
            Column::Texts(texts) => texts.iter().map(|text| text.clone().unwrap_or_default()).collect(),
            Column::Numbers(numbers) => numbers
                .iter()
                .map(|number| number.map(|number| number.to_string()).unwrap_or_default())
                .collect(),
        })
        .collect();
    (0..texts[0].len())
        .map(|row| texts.iter().map(|column| column[row].clone()).collect())
        .collect()
}

fn some_columns() -> impl Strategy<Value = Vec<Column>> {
    let text = || prop::option::of("[a\"',=\n\r\u{feff}ä \\\\]{0,5}");
    let number = || prop::option::of(any::<i64>());
    (1_usize..40).prop_flat_map(move |rows| {
        let texts = prop::collection::vec(text(), rows).prop_map(Column::Texts);
        let numbers = prop::collection::vec(number(), rows).prop_map(Column::Numbers);
        prop::collection::vec(prop_oneof![3 => texts, 1 => numbers], 1..4)
    })
}

fn some_shape() -> impl Strategy<Value = Shape> {
    (1_usize..20, 1_usize..20, any::<bool>(), any::<bool>()).prop_map(|(group, page, zstd, bits)| Shape {
        group,
        page,
        zstd,
        bits,
    })
}

/// A few rows of each kind, in several groups and pages.
fn few() -> Vec<Column> {
    let text = |row: usize| (!row.is_multiple_of(3)).then(|| format!("text, {row}"));
    let number = |row: usize| (!row.is_multiple_of(4)).then_some(row as i64 - 3);
    vec![
        Column::Texts((0..9).map(text).collect()),
        Column::Numbers((0..9).map(number).collect()),
    ]
}

const SHAPE: Shape = Shape {
    group: 5,
    page: 3,
    zstd: true,
    bits: true,
};

#[test]
fn what_the_server_wrote_reads_as_its_csv_does() {
    let (mut parquet, told) = open(SERVER, 100);
    assert_eq!(wrong(&told), None);
    let mut csv = Session::new(&Opened {
        guarded: false,
        ..opened(SERVER_CSV, Format::Csv)
    });
    let mut told_csv = csv.push(SERVER_CSV).unwrap();
    told_csv.extend(csv.end(None));
    assert_eq!(names(&told), names(&told_csv));
    let rows = cells(&mut parquet);
    assert_eq!(rows.len(), 12);
    assert_eq!(rows, cells(&mut csv));
    assert_eq!(rows[1][6], "=1+1");
    assert!(rows[7][6].len() > 6_000 && rows[0][5].is_empty());
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(columns in some_columns(), shape in some_shape(), chunk in 1_usize..500) {
        let (mut session, told) = open(&written(&columns, shape), chunk);
        prop_assert_eq!(wrong(&told), None);
        prop_assert_eq!(names(&told).len(), columns.len());
        prop_assert_eq!(cells(&mut session), expected(&columns));
    }

    #[test]
    fn a_byte_that_is_another_breaks_nothing_else(place: prop::sample::Index, byte: u8, server: bool) {
        let mut file = if server { SERVER.to_vec() } else { written(&few(), SHAPE) };
        let place = place.index(file.len());
        file[place] = byte;
        let (mut session, _) = open(&file, 1_000);
        cells(&mut session);
    }
}

#[test]
fn every_byte_may_be_any_other() {
    let whole = written(&few(), Shape { zstd: false, ..SHAPE });
    for place in 0..whole.len() {
        for byte in [0, 1, 0x15, 0x7f, 0x80, 0xff, whole[place] ^ 1, whole[place].wrapping_add(2)] {
            let mut file = whole.clone();
            file[place] = byte;
            open(&file, file.len());
        }
    }
}

#[test]
fn a_file_cut_off_anywhere_says_that_it_is_broken() {
    for whole in [written(&few(), SHAPE), SERVER.to_vec()] {
        for length in 0..whole.len() {
            let (_, told) = open(&whole[..length], 1_000);
            assert!(
                wrong(&told).is_some_and(|why| why.contains("is broken")),
                "{length}: {told:?}"
            );
        }
        // Where its size is known, that is said instead.
        let mut session = Session::new(&opened(&whole, Format::Parquet));
        session.push(&whole[1..]).unwrap();
        assert!(wrong(&session.end(None)).is_some_and(|why| why.starts_with("Only ")));
    }
}

#[test]
fn pages_cut_off_anywhere_leave_the_rows_before_them() {
    // The bytes of a page are taken out, and all places after it named anew.
    for at in 4..40 {
        let mut file = written(&few(), Shape { zstd: false, ..SHAPE });
        file[at..60].rotate_left(1);
        let (mut session, _) = open(&file, 1_000);
        assert!(cells(&mut session).len() <= 9);
    }
    let mut file = written(&few(), SHAPE);
    let second = file.windows(4).rposition(|bytes| bytes == [0x28, 0xb5, 0x2f, 0xfd]).unwrap();
    file[second] = 0;
    let (mut session, told) = open(&file, 1_000);
    assert_eq!(wrong(&told), Some(Problem::Broken("a page cannot be unpacked").to_string()));
    assert_eq!(cells(&mut session), expected(&few())[..8]);
}

#[test]
fn many_rows_come_in_slices_and_can_be_searched_and_ordered() {
    let text = |row: usize| Some(format!("{row:0>9}, {}", "text ".repeat(row % 40)));
    let columns = [
        Column::Texts((0..90_000).map(text).collect()),
        Column::Numbers((0..90_000_i64).map(|row| Some(-row)).collect()),
    ];
    let shape = Shape {
        group: 20_000,
        page: 1_024,
        zstd: false,
        bits: false,
    };
    let file = written(&columns, shape);
    let mut session = Session::new(&opened(&file, Format::Parquet));
    let mut told = session.push(&file).unwrap();
    assert!(matches!(told[..], [Tell::Loading { .. }]));
    told.extend(session.end(None));
    let view = View {
        text: "text".to_owned(),
        sort: Some(Sort {
            column: 1,
            descending: false,
        }),
        ..View::default()
    };
    told.extend(session.answer(Ask::View(view)));
    while session.is_busy() {
        told.extend(session.work().told);
    }
    let steps = told.iter().filter_map(|tell| match tell {
        Tell::Working(Work::Reading, percent) => Some(*percent),
        _ => None,
    });
    let steps: Vec<u8> = steps.collect();
    assert!(
        steps.len() > 3 && steps.is_sorted() && steps.last() == Some(&100),
        "{steps:?}"
    );
    let loaded = told.iter().position(|tell| *tell == Tell::Loaded(None)).unwrap();
    let found_before = told[..loaded]
        .iter()
        .any(|tell| matches!(tell, Tell::Shown { shown, all, .. } if *shown > 0 && shown < all));
    assert!(found_before, "a search goes on while rows come");
    let Some(Tell::Shown {
        all: 90_000,
        shown: 87_750,
        done: true,
        ..
    }) = told.last()
    else {
        panic!("{:?}", told.last())
    };
    let rows = session.answer(Ask::Rows { from: 0, count: 1 });
    assert!(
        matches!(&rows[..], [Tell::Rows { rows, .. }] if rows[0].row == 89_999),
        "{rows:?}"
    );
}

#[test]
fn what_exports_do_not_write_is_named() {
    let name = || (4, Of::Bytes(b"c0".to_vec()));
    let of = |element: Vec<u8>, meta: Vec<(u8, Of)>| {
        let root = thrift(&[(4, Of::Bytes(b"records".to_vec())), (5, int(1))]);
        let chunk = thrift(&[(3, Of::Struct(thrift(&meta)))]);
        let group = thrift(&[(1, Of::Structs(vec![chunk])), (3, long(1))]);
        let file = close(b"PAR1____".to_vec(), vec![root, element], vec![group], 1);
        wrong(&open(&file, 1_000).1).unwrap_or_default()
    };
    let text = || thrift(&[(1, int(6)), (3, int(1)), name()]);
    let meta = |codec, dictionary| {
        vec![
            (1, int(6)),
            (4, int(codec)),
            (6, long(4)),
            (7, long(4)),
            (9, long(4)),
            (11, long(dictionary)),
        ]
    };
    let why = [
        of(thrift(&[(3, int(1)), name(), (5, int(1))]), meta(6, 0)),
        of(thrift(&[(1, int(6)), (3, int(2)), name()]), meta(6, 0)),
        of(thrift(&[(1, int(1)), (3, int(1)), name()]), meta(6, 0)),
        of(thrift(&[(1, int(2)), (3, int(1)), name(), (6, int(10))]), meta(6, 0)),
        of(text(), meta(1, 0)),
        of(text(), meta(6, 4)),
    ];
    for (why, word) in why.iter().zip([
        "columns within",
        "columns within",
        "neither",
        "neither",
        "compression",
        "dictionaries",
    ]) {
        assert!(why.contains(word) && why.contains("Download it instead"), "{why}");
    }
    assert!(of(text(), meta(6, 0)).contains("is broken"));
}

#[test]
fn a_page_that_promises_too_much_costs_nothing() {
    // Millions of rows that are not there, in a few bytes.
    let page = [&4_u32.to_le_bytes()[..], &[0xfe, 0xff, 0xff, 0x7f]].concat();
    let mut file = b"PAR1".to_vec();
    let data = thrift(&[(1, int(1 << 30)), (2, int(0)), (3, int(3))]);
    let header = thrift(&[(1, int(0)), (2, int(1 << 30)), (3, int(page.len())), (5, Of::Struct(data))]);
    file.extend_from_slice(&header);
    file.extend_from_slice(&page);
    let meta = [
        (1, int(6)),
        (4, int(6)),
        (6, long(usize::MAX >> 1)),
        (7, long(file.len() - 4)),
        (9, long(4)),
    ];
    let chunk = thrift(&[(3, Of::Struct(thrift(&meta)))]);
    let group = |rows| thrift(&[(1, Of::Structs(vec![chunk.clone()])), (3, long(rows))]);
    let root = thrift(&[(4, Of::Bytes(b"records".to_vec())), (5, int(1))]);
    let text = thrift(&[(1, int(6)), (3, int(1)), (4, Of::Bytes(b"c0".to_vec()))]);
    let file_of = |rows| close(file.clone(), vec![root.clone(), text.clone()], vec![group(rows)], rows);
    let why = wrong(&open(&file_of(1_000), 1_000).1).unwrap();
    assert!(why.contains("several hundred megabytes"), "{why}");
    let why = wrong(&open(&file_of(usize::MAX >> 2), 1_000).1).unwrap();
    assert!(why.contains("more rows than"), "{why}");
}

/// A look at a larger file beside its CSV: `BROWSE_BESIDE=/path/to/file cargo test … -- --ignored beside`, for `file.parquet` and `file.csv`.
#[test]
#[ignore = "for files that are at hand"]
fn a_file_reads_as_its_csv_beside_it() {
    let stem = std::env::var("BROWSE_BESIDE").unwrap();
    let (parquet, csv) = (
        std::fs::read(format!("{stem}.parquet")).unwrap(),
        std::fs::read(format!("{stem}.csv")).unwrap(),
    );
    let mut of_csv = Session::new(&Opened {
        guarded: false,
        ..opened(&csv, Format::Csv)
    });
    of_csv.push(&csv).unwrap();
    of_csv.end(None);
    let (mut of_parquet, told) = open(&parquet, 1 << 16);
    assert_eq!(wrong(&told), None);
    assert_eq!(cells(&mut of_parquet), cells(&mut of_csv));
}

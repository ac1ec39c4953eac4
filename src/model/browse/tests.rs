//! The engine as a whole against the plainest way to do the same.

use proptest::prelude::*;

use super::message::{Aim, Ask, Filter, Op, Opened, Sort, Tell, View};
use super::needle::fold;
use super::{Problem, Session};
use crate::model::export::{Format, is_guarded};

type Cells = Vec<Vec<String>>;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|place| format!("c{place}")).collect()
}

fn as_csv(cells: &Cells, guarded: bool, end: &str) -> Vec<u8> {
    let line = |row: &[String]| {
        let texts: Vec<String> = row.iter().map(|cell| as_csv_cell(cell, guarded)).collect();
        texts.join(",") + end
    };
    let heading = line(&names(cells.first().map_or(1, Vec::len)));
    let rows: String = cells.iter().map(|row| line(row)).collect();
    (heading + &rows).into_bytes()
}

fn as_csv_cell(cell: &str, guarded: bool) -> String {
    let guard = if guarded && is_guarded(cell.as_bytes()) { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn as_ndjson(cells: &Cells, escaped: bool) -> Vec<u8> {
    let mut out = String::new();
    for row in cells {
        let pairs: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(place, cell)| {
                let mut value = serde_json::to_string(cell).unwrap();
                if escaped {
                    value = value.replace('a', "\\u0061").replace('ä', "\\u00e4");
                }
                format!("\"c{place}\":{value}")
            })
            .collect();
        out.push('{');
        out.push_str(&pairs.join(","));
        out.push_str("}\n");
    }
    out.into_bytes()
}

fn open(bytes: &[u8], format: Format, columns: usize, guarded: bool, chunk: usize) -> Session {
    let opened = Opened {
        format,
        fields: names(columns),
        guarded,
        bytes: Some(bytes.len() as u64),
    };
    let mut session = Session::new(&opened);
    for chunk in bytes.chunks(chunk.max(1)) {
        session.push(chunk).unwrap();
    }
    assert!(session.end(None).contains(&Tell::Loaded(None)));
    session
}

/// The numbers and texts of the rows that are shown once everything is done.
fn shown(session: &mut Session) -> Vec<(u32, Vec<String>)> {
    while session.is_busy() {
        session.work();
    }
    let told = session.answer(Ask::Rows { from: 0, count: 500 });
    let [Tell::Rows { rows, .. }] = told.as_slice() else {
        panic!("{told:?}")
    };
    let texts = |line: &super::message::Line| line.cells.iter().map(|cell| cell.text.clone()).collect();
    rows.iter().map(|line| (line.row, texts(line))).collect()
}

/// The same rows, found by reading every cell.
fn expected(cells: &Cells, view: &View) -> Vec<(u32, Vec<String>)> {
    let holds = |row: &Vec<String>| {
        let anywhere = view.text.is_empty() || row.iter().any(|cell| has(cell, &view.text));
        anywhere
            && view.filters.iter().all(|filter| {
                let cell = &row[filter.column as usize];
                match filter.op {
                    Op::Contains => has(cell, &filter.text),
                    Op::Equals => *cell == filter.text,
                    Op::NotEquals => *cell != filter.text,
                }
            })
    };
    let mut rows: Vec<(u32, Vec<String>)> = (0..).zip(cells.clone()).filter(|(_, row)| holds(row)).collect();
    if let Some(sort) = view.sort {
        let column = sort.column as usize;
        let all = cells.iter().map(|row| &row[column]).filter(|cell| !cell.is_empty());
        let number = |cell: &String| cell.parse::<f64>().ok().filter(|_| !cell.starts_with('+'));
        let numeric = all.clone().all(|cell| number(cell).is_some());
        rows.sort_by(|(_, one), (_, other)| {
            let (one, other) = (&one[column], &other[column]);
            let order = if numeric {
                number(one).partial_cmp(&number(other)).unwrap()
            } else {
                one.cmp(other)
            };
            let order = if sort.descending { order.reverse() } else { order };
            one.is_empty().cmp(&other.is_empty()).then(order)
        });
    }
    rows
}

fn has(cell: &str, text: &str) -> bool {
    let folded = fold(text);
    if folded.is_ascii() {
        return cell.to_ascii_lowercase().contains(&folded);
    }
    fold(cell).contains(&folded)
}

fn some_cells() -> impl Strategy<Value = Cells> {
    let cell = prop_oneof![
        3 => "[aAbB,\"'=\n\r\täÄσςΣ\\\\/ ]{0,6}",
        1 => "-?[0-9]{1,3}(\\.[0-9])?",
        1 => Just(String::new()),
    ];
    prop::collection::vec(prop::collection::vec(cell, 3), 1..40)
}

fn some_view() -> impl Strategy<Value = View> {
    let text = "[aAb,\"'=\näσ1/\\\\]{0,2}";
    let op = prop::sample::select(Op::ALL.to_vec());
    let filter = (0_u32..3, op, text).prop_map(|(column, op, text)| Filter { column, op, text });
    let sort = (0_u32..3, any::<bool>()).prop_map(|(column, descending)| Sort { column, descending });
    (text, prop::collection::vec(filter, 0..3), prop::option::of(sort)).prop_map(|(text, filters, sort)| View {
        text,
        filters,
        sort,
    })
}

proptest! {
    #[test]
    fn a_csv_is_shown_as_a_reader_of_every_cell_would(
        cells in some_cells(), views in prop::collection::vec(some_view(), 1..4), guarded: bool, chunk in 1_usize..200, feed: bool
    ) {
        let bytes = as_csv(&cells, guarded, if feed { "\n" } else { "\r\n" });
        let mut session = open(&bytes, Format::Csv, 3, guarded, chunk);
        for view in views {
            session.answer(Ask::View(view.clone()));
            prop_assert_eq!(shown(&mut session), expected(&cells, &view), "{:?}", view);
        }
    }

    #[test]
    fn ndjson_is_shown_as_a_reader_of_every_cell_would(
        cells in some_cells(), views in prop::collection::vec(some_view(), 1..4), escaped: bool, chunk in 1_usize..200
    ) {
        let bytes = as_ndjson(&cells, escaped);
        let mut session = open(&bytes, Format::Ndjson, 3, false, chunk);
        for view in views {
            session.answer(Ask::View(view.clone()));
            prop_assert_eq!(shown(&mut session), expected(&cells, &view), "{:?}", view);
        }
    }

    #[test]
    fn what_is_saved_can_be_opened_again(cells in some_cells(), view in some_view(), json: bool) {
        let bytes = if json { as_ndjson(&cells, false) } else { as_csv(&cells, false, "\r\n") };
        let mut session = open(&bytes, if json { Format::Ndjson } else { Format::Csv }, 3, false, 64);
        session.answer(Ask::View(view.clone()));
        let before = shown(&mut session);
        session.answer(Ask::Save);
        let mut saved = Vec::new();
        while session.is_busy() {
            saved.extend(session.work().piece.unwrap_or_default());
        }
        let mut again = open(&saved, Format::Csv, 3, false, 1_000);
        let texts = |rows: Vec<(u32, Vec<String>)>| -> Cells { rows.into_iter().map(|(_, row)| row).collect() };
        prop_assert_eq!(texts(shown(&mut again)), texts(before));
    }

    #[test]
    fn whatever_comes_it_answers(bytes in prop::collection::vec(prop::sample::select(b"{}\":,\\\n\r'=a1u\xc3".to_vec()), 0..200), json: bool, view in some_view()) {
        let opened = Opened { format: if json { Format::Ndjson } else { Format::Csv }, fields: names(3), guarded: true, bytes: None };
        let mut session = Session::new(&opened);
        let problem = session.push(&bytes).err();
        session.end(problem.map(|problem| problem.to_string()));
        session.answer(Ask::View(view));
        shown(&mut session);
    }
}

#[test]
fn many_rows_are_sorted_as_few_are() {
    let cells: Cells = (0..70_000_u32)
        .map(|row| {
            let mixed = row.wrapping_mul(2_654_435_761) % 1_000;
            vec![mixed.to_string(), format!("{:0>60}x{mixed}", ""), String::new()]
        })
        .collect();
    let mut session = open(&as_csv(&cells, false, "\n"), Format::Csv, 3, false, 1 << 16);
    for (column, descending) in [(0, false), (0, true), (1, false), (1, true), (2, true)] {
        let sort = Some(Sort { column, descending });
        let view = View { sort, ..View::default() };
        session.answer(Ask::View(view.clone()));
        assert_eq!(shown(&mut session), expected(&cells, &view)[..500]);
    }
}

#[test]
fn rows_can_be_had_before_all_has_come_and_a_search_goes_on_with_what_comes() {
    let opened = Opened {
        format: Format::Csv,
        fields: Vec::new(),
        guarded: false,
        bytes: Some(1_000),
    };
    let mut session = Session::new(&opened);
    let told = session.push(b"id,body\n1,one\n2,t").unwrap();
    assert_eq!(told[0], Tell::Columns(vec!["id".to_owned(), "body".to_owned()]));
    let text = "one".to_owned();
    session.answer(Ask::View(View { text, ..View::default() }));
    assert_eq!(shown(&mut session).len(), 1);
    session.push(b"wo\n3,none\n").unwrap();
    assert_eq!(shown(&mut session).len(), 2);
    let told = session.end(None);
    assert_eq!(
        told[0],
        Tell::Loaded(Some(
            Problem::Short {
                done: 27,
                expected: 1_000
            }
            .to_string()
        ))
    );
    assert_eq!(shown(&mut session).len(), 2);
}

#[test]
fn a_long_cell_is_cut_and_can_be_had_whole() {
    let body = format!("[{}]", "\"ü\",".repeat(400));
    let mut session = open(&as_csv(&vec![vec![body.clone()]], false, "\n"), Format::Csv, 1, false, 99);
    let told = session.answer(Ask::Rows { from: 0, count: 9 });
    let Tell::Rows { rows, .. } = &told[0] else { panic!() };
    assert!(rows[0].cells[0].cut);
    assert_eq!(rows[0].cells[0].text.chars().count(), 300);
    let (row, column, aim) = (0, 0, Aim::Open);
    let told = session.answer(Ask::Cell { row, column, aim });
    assert_eq!(
        told,
        [Tell::Cell {
            row,
            column,
            aim,
            text: body
        }]
    );
}

#[test]
fn what_is_broken_says_where() {
    let opened = |format| Opened {
        format,
        fields: names(1),
        guarded: false,
        bytes: None,
    };
    let mut session = Session::new(&opened(Format::Csv));
    session.push(b"a\n1\n\"2\n3\n").unwrap();
    let told = session.end(None);
    assert!(
        matches!(&told[..], [.., Tell::Loaded(Some(why)), _] if why.contains("row 2")),
        "{told:?}"
    );
    assert_eq!(shown(&mut session).len(), 1);
    let mut session = Session::new(&opened(Format::Ndjson));
    assert_eq!(session.push(b"{}\n\n[]\n"), Err(Problem::NotAnObject { row: 2 }));
}

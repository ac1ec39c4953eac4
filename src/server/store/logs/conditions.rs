//! From a selection to SQL: the branches that a list is read through, each on an index of its own, and what is left to check.

use sea_query::{Expr, ExprTrait, SelectStatement, SimpleExpr};

use super::rows::column_text;
use crate::model::log::{Origin, Status};
use crate::model::selection::{CodeRange, LogSelection, OneOf, TimeRange};
use crate::server::store::projects::ProjectKey;

/// More branches than this are read as one, through the table's own order.
const MOST_BRANCHES: usize = 48;

/// One way through an index: logs of one origin, in time order, that have one value.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) origin: Origin,
    /// The index that SQLite is told to use.
    pub(super) index: &'static str,
    /// The value that the index is entered with.
    entry: Option<SimpleExpr>,
}

/// How a selection is read.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) branches: Vec<Branch>,
    /// What the indexes do not settle.
    pub(super) residual: Vec<SimpleExpr>,
    /// Whether two branches may give the same log.
    pub(super) overlapping: bool,
}

/// A filter that has an index, and the values that enter it.
struct Driver {
    entries: Vec<(&'static str, SimpleExpr)>,
    overlapping: bool,
    /// Which conditions of the selection it settles.
    settles: Settled,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Ids,
    RequestIds,
    Users,
    Resources,
    Ips,
    Apps,
    ClientApps,
    Endpoints,
    Codes,
    Channels,
    Methods,
    Statuses,
}

/// Where a log may have a filter's value. A key's name stands in one column, whichever side the key is of.
#[derive(Clone, Copy)]
enum Field {
    Column(&'static str),
    ServerKeyName,
    ClientKeyName,
}

impl Field {
    const fn column(self) -> &'static str {
        match self {
            Self::Column(column) => column,
            Self::ServerKeyName | Self::ClientKeyName => "app_name",
        }
    }

    /// The logs whose column is meant, given that the column has the value.
    fn only(self, has_value: SimpleExpr) -> SimpleExpr {
        match self {
            Self::Column(_) => has_value,
            Self::ServerKeyName => has_value.and(Expr::col("client_app_id").is_null()),
            Self::ClientKeyName => has_value.and(Expr::col("client_app_id").is_not_null()),
        }
    }

    fn among(self, values: &[String]) -> SimpleExpr {
        self.only(Expr::col(self.column()).is_in(texts(values)))
    }

    /// A log without the field does not have the value.
    fn not_among(self, values: &[String]) -> SimpleExpr {
        let without = Expr::col(self.column())
            .is_null()
            .or(Expr::col(self.column()).is_not_in(texts(values)));
        match self {
            Self::Column(_) => without,
            Self::ServerKeyName => without.or(Expr::col("client_app_id").is_not_null()),
            Self::ClientKeyName => without.or(Expr::col("client_app_id").is_null()),
        }
    }
}

/// A column equal to a text, as the database has texts.
fn is(column: &'static str, value: &str) -> SimpleExpr {
    Expr::col(column).eq(column_text(value).into_owned())
}

fn texts(values: &[String]) -> Vec<String> {
    values.iter().map(|value| column_text(value).into_owned()).collect()
}

/// How the selection is read best: through the filter that leaves fewest logs.
pub(super) fn plan(selection: &LogSelection, codes_in_use: Option<&[u16]>) -> Plan {
    let origins = &selection.origins;
    let driver = drivers(selection, codes_in_use)
        .into_iter()
        .find(|driver| driver.entries.len() * origins.len().max(1) <= MOST_BRANCHES);
    let residual = conditions(selection, driver.as_ref().map(|driver| driver.settles));
    let Some(driver) = driver else {
        let branches = origins
            .iter()
            .map(|origin| Branch {
                origin: *origin,
                index: "sqlite_autoindex_logs_1",
                entry: None,
            })
            .collect();
        return Plan {
            branches,
            residual,
            overlapping: false,
        };
    };
    let branch = |origin: &Origin, (index, entry): &(&'static str, SimpleExpr)| Branch {
        origin: *origin,
        index,
        entry: Some(entry.clone()),
    };
    let branches = origins
        .iter()
        .flat_map(|origin| driver.entries.iter().map(move |entry| branch(origin, entry)))
        .collect();
    Plan {
        branches,
        residual,
        overlapping: driver.overlapping,
    }
}

/// The filters that have an index, the one that leaves fewest logs first.
fn drivers(selection: &LogSelection, codes_in_use: Option<&[u16]>) -> Vec<Driver> {
    let mut drivers = Vec::new();
    let mut add = |entries: Vec<(&'static str, SimpleExpr)>, overlapping: bool, settles: Settled| {
        if !entries.is_empty() {
            drivers.push(Driver {
                entries,
                overlapping,
                settles,
            });
        }
    };
    let each = |index: &'static str, column: &'static str, values: &OneOf| -> Vec<_> {
        let mut wanted = texts(&values.wanted);
        wanted.sort_unstable();
        wanted.dedup();
        wanted.iter().map(|value| (index, is(column, value))).collect()
    };
    add(
        each("logs_by_request_id", "request_id", &selection.request_ids),
        false,
        Settled::RequestIds,
    );
    let mut users = each("logs_by_user_email", "user_email", &selection.users);
    users.extend(each("logs_by_user_id", "user_id", &selection.users));
    add(users, true, Settled::Users);
    if selection.resources.wanted.iter().all(|resource| resource.contains(':')) {
        let mut resources = texts(&selection.resources.wanted);
        resources.sort_unstable();
        resources.dedup();
        let entries = resources.iter().map(|resource| ("logs_by_resource", resource_is(resource)));
        add(entries.collect(), false, Settled::Resources);
    }
    add(each("logs_by_ip", "ip", &selection.ips), false, Settled::Ips);
    let named = |name: Field, values: &OneOf| -> Vec<_> {
        let entries = each("logs_by_app_name", name.column(), values).into_iter();
        entries.map(|(index, entry)| (index, name.only(entry))).collect()
    };
    let mut apps = each("logs_by_app_id", "app_id", &selection.apps);
    apps.extend(named(Field::ServerKeyName, &selection.apps));
    add(apps, true, Settled::Apps);
    let mut client_apps = each("logs_by_client_app_id", "client_app_id", &selection.client_apps);
    client_apps.extend(named(Field::ClientKeyName, &selection.client_apps));
    add(client_apps, true, Settled::ClientApps);
    add(
        each("logs_by_endpoint", "endpoint", &selection.endpoints),
        false,
        Settled::Endpoints,
    );
    if let Some(codes) = single_codes(&selection.codes, codes_in_use) {
        let entry = |code: &Option<u16>| {
            (
                "logs_by_status_code",
                code.map_or_else(|| Expr::col("status_code").is_null(), code_is),
            )
        };
        add(codes.iter().map(entry).collect(), false, Settled::Codes);
    }
    add(
        each("logs_by_channel", "channel", &selection.channels),
        false,
        Settled::Channels,
    );
    add(each("logs_by_method", "method", &selection.methods), false, Settled::Methods);
    if let [status] = *selection.statuses.as_slice() {
        add(
            vec![("logs_by_status", Expr::col("status").eq(status.number()))],
            false,
            Settled::Statuses,
        );
    }
    drivers
}

fn code_is(code: u16) -> SimpleExpr {
    Expr::col("status_code").eq(code as i16)
}

/// Wanted codes one by one, ranges by the codes in use; `None` where that is not known.
fn single_codes(wanted: &[CodeRange], in_use: Option<&[u16]>) -> Option<Vec<Option<u16>>> {
    let mut codes = Vec::new();
    for range in wanted {
        match range {
            None => codes.push(None),
            Some((from, to)) if from == to => codes.push(Some(*from)),
            Some((from, to)) => codes.extend(
                in_use?
                    .iter()
                    .filter(|code| (from..=to).contains(code))
                    .map(|code| Some(*code)),
            ),
        }
    }
    codes.sort_unstable();
    codes.dedup();
    Some(codes)
}

/// Whether a class of codes is asked for, which the codes in use would make into single ones.
pub(super) fn has_code_class(selection: &LogSelection) -> bool {
    selection.codes.iter().flatten().any(|(from, to)| from != to)
}

fn code_in(range: CodeRange) -> SimpleExpr {
    match range {
        None => Expr::col("status_code").is_null(),
        Some((from, to)) => Expr::col("status_code").between(from as i16, to as i16),
    }
}

fn resource_is(resource: &str) -> SimpleExpr {
    match resource.split_once(':') {
        Some((kind, id)) => is("resource_type", kind).and(is("resource_id", id)),
        None => is("resource_type", resource),
    }
}

/// The filters that are lists of values, and where logs have those.
fn lists(selection: &LogSelection) -> [(&OneOf, &'static [Field], Settled); 9] {
    [
        (&selection.ids, &[Field::Column("id")], Settled::Ids),
        (&selection.request_ids, &[Field::Column("request_id")], Settled::RequestIds),
        (
            &selection.users,
            &[Field::Column("user_email"), Field::Column("user_id")],
            Settled::Users,
        ),
        (&selection.ips, &[Field::Column("ip")], Settled::Ips),
        (
            &selection.apps,
            &[Field::Column("app_id"), Field::ServerKeyName],
            Settled::Apps,
        ),
        (
            &selection.client_apps,
            &[Field::Column("client_app_id"), Field::ClientKeyName],
            Settled::ClientApps,
        ),
        (&selection.endpoints, &[Field::Column("endpoint")], Settled::Endpoints),
        (&selection.channels, &[Field::Column("channel")], Settled::Channels),
        (&selection.methods, &[Field::Column("method")], Settled::Methods),
    ]
}

/// Every condition of the selection but time, origin, path and text, except what an index settles.
fn conditions(selection: &LogSelection, settled: Option<Settled>) -> Vec<SimpleExpr> {
    let open = |one: Settled| settled != Some(one);
    let mut all = Vec::new();
    let any_of = |conditions: Vec<SimpleExpr>| conditions.into_iter().reduce(SimpleExpr::or);
    for (values, fields, settles) in lists(selection) {
        if open(settles) && !values.wanted.is_empty() {
            all.extend(any_of(fields.iter().map(|field| field.among(&values.wanted)).collect()));
        }
        if !values.left_out.is_empty() {
            all.extend(fields.iter().map(|field| field.not_among(&values.left_out)));
        }
    }
    if open(Settled::Resources) {
        all.extend(any_of(
            selection
                .resources
                .wanted
                .iter()
                .map(|resource| resource_is(resource))
                .collect(),
        ));
    }
    all.extend(
        selection
            .resources
            .left_out
            .iter()
            .map(|resource| Expr::col("resource_type").is_null().or(resource_is(resource).not())),
    );
    if open(Settled::Codes) {
        all.extend(any_of(selection.codes.iter().copied().map(code_in).collect()));
    }
    for range in &selection.codes_left_out {
        all.push(match range {
            None => Expr::col("status_code").is_not_null(),
            Some(_) => Expr::col("status_code").is_null().or(code_in(*range).not()),
        });
    }
    if open(Settled::Statuses) && !selection.statuses.is_empty() && !has_every_status(&selection.statuses) {
        all.push(Expr::col("status").is_in(selection.statuses.iter().map(|status| status.number())));
    }
    all.extend(selection.slower_than_us.map(|slower| Expr::col("duration_us").gt(slower)));
    all
}

fn has_every_status(statuses: &[Status]) -> bool {
    [Status::Success, Status::Failure]
        .iter()
        .all(|status| statuses.contains(status))
}

/// Everything but time, origin, path and text: for logs that were found some other way.
pub(super) fn all_conditions(selection: &LogSelection) -> Vec<SimpleExpr> {
    conditions(selection, None)
}

/// What a path must be for its letters to be looked at in Rust: letters beyond ASCII fold in ways that databases do not agree on.
pub(super) fn path_may_contain(folded: &[u8], sqlite: bool) -> SimpleExpr {
    let (beyond_ascii, position) = if sqlite {
        ("length(path) <> length(CAST(path AS BLOB))", "instr(lower(path), ?) > 0")
    } else {
        ("length(path) <> octet_length(path)", "strpos(lower(path), $1) > 0")
    };
    let beyond_ascii = Expr::cust(beyond_ascii);
    match std::str::from_utf8(folded) {
        // A NUL stands in the column as its picture, which is beyond ASCII.
        Ok(text) if text.is_ascii() && !text.contains('\0') => {
            beyond_ascii.or(Expr::cust_with_values(position, [text.to_owned()]))
        }
        _ => beyond_ascii,
    }
}

impl Branch {
    /// Narrows a select to this branch and a range of time.
    pub(super) fn restrict(&self, select: &mut SelectStatement, project: ProjectKey, range: TimeRange) {
        select
            .from("logs")
            .and_where(Expr::col("project_id").eq(project))
            .and_where(Expr::col("origin").eq(self.origin.number()));
        if let Some(entry) = &self.entry {
            select.and_where(entry.clone());
        }
        select
            .and_where(Expr::col("created_at").gte(range.from))
            .and_where(Expr::col("created_at").lt(range.to));
    }

    /// What stands before the time in its index and may be NULL: the same in all of the branch's rows.
    ///
    /// PostgreSQL knows of a column that equals a value that it orders nothing, but not of one that is NULL: a list that is said to be ordered by it first
    /// is read as the index has it, and not sorted.
    pub(super) fn leading(&self) -> Option<&'static str> {
        (self.index == "logs_by_status_code").then_some("status_code")
    }

    /// SQLite's name of its index, none for the table's own order.
    pub(super) fn sqlite_index(&self) -> Option<&'static str> {
        self.entry.as_ref().map(|_| self.index)
    }
}

//! `make bench-large`: what stays as quick with 100 days of 100,000 logs stored as with one, and what all of them cost.
//!
//! Usage: `bench large BINARY DIST`. `BENCH_LARGE_FOLDER` (`target/bench-large` unless said) is kept: what a run before has stored there is not
//! stored again, also where it was broken off. `BENCH_LARGE_LOGS` (10,000,000) sizes it, in whole days; `BENCH_LARGE_ONLY` names databases
//! (`sqlite`, `postgres`) and parts (`generate`, `growth`, `datasette`, `browser`, `footprint`, `load`) that are meant, divided by commas.
//! The tables go to `target/bench-large.md` and `.json`, and with `BENCH_LARGE_DOC` into that file, between its marks.
//!
//! Ingest under load comes last: its logs are of now, later than everything that is asked for before and in runs to come.

mod datasette;
mod days;
mod figures;
mod footprint;
mod furnish;
mod generate;
mod growth;
mod lighthouse;
mod load;
mod machine;
mod people;
mod place;
mod questions;
mod shape;
mod sizes;
mod stand;
mod whole;

use std::path::Path;

use days::Days;
use figures::Figures;
use place::Place;
use stand::{Kind, Stand};

use crate::Outcome;
use crate::bundle::Bundle;
use crate::report::Report;

/// Everything that is meant, or the reason why not.
pub async fn run(binary: &Path, dist: &Path) -> Outcome<()> {
    let place = Place::of_environment()?;
    let (days, place) = place.ready()?;
    let large = Large {
        binary: &std::fs::canonicalize(binary).map_err(|error| format!("{}: {error}", binary.display()))?,
        dist,
        place: &place,
        days: &days,
    };
    let mut figures = Figures::of(&days, machine::words(&place.folder));
    for kind in [Kind::Sqlite, Kind::Postgres] {
        if place.means(kind.word()) {
            large.database(kind, &mut figures).await?;
        }
    }
    figures.print();
    Ok(())
}

struct Large<'a> {
    binary: &'a Path,
    dist: &'a Path,
    place: &'a Place,
    days: &'a Days,
}

impl Large<'_> {
    /// Every part on one database. What was measured is written after each, so that a long run that fails late has not been for nothing.
    async fn database(&self, kind: Kind, figures: &mut Figures) -> Outcome<()> {
        let stand = Stand::open(kind, self.binary, &self.place.folder).await?;
        let name = stand.name()?;
        self.generated(&stand).await?;
        if self.place.means("growth") {
            self.growth(&stand, &name, figures)?;
        }
        if kind == Kind::Sqlite && self.place.means("datasette") {
            let mut report = Report::default();
            datasette::measure(&mut report, &stand, &self.place.folder, self.days)?;
            figures.section("Against Datasette", report)?;
        }
        if kind == Kind::Sqlite && self.place.means("browser") {
            let mut report = Report::default();
            report.bundle(&Bundle::read(self.dist)?)?;
            lighthouse::measure(&mut report, &stand, self.days)?;
            figures.section("Pages in the browser", report)?;
        }
        if self.place.means("footprint") {
            let mut report = Report::default();
            footprint::measure(&mut report, &stand, self.days).await?;
            figures.section(&format!("Footprint, {name}"), report)?;
        }
        if self.place.means("load") {
            let mut report = Report::default();
            load::measure(&mut report, &stand, self.days)?;
            figures.section(&format!("Ingest under load, {name}"), report)?;
        }
        Ok(())
    }

    /// All of the days in one database, the last day alone in the other, and both in the shape that they keep.
    async fn generated(&self, stand: &Stand) -> Outcome<()> {
        let server = stand.large()?;
        let filled = generate::fill(&server, self.days, self.days.batches(), &stand.file("large.stored"))?;
        shape::settled(&server)?;
        server.stop()?;
        if self.place.means("growth") || self.place.means("generate") {
            let server = stand.day()?;
            generate::fill(&server, self.days, self.days.last_batches(), &stand.file("day.stored"))?;
            shape::settled(&server)?;
            server.stop()?;
        }
        if filled > 0 {
            stand.tidy().await?;
        }
        Ok(())
    }

    fn growth(&self, stand: &Stand, name: &str, figures: &mut Figures) -> Outcome<()> {
        let (large, day) = (stand.large()?, stand.day()?);
        shape::settled(&large)?;
        let mut report = Report::default();
        growth::measure(&mut report, &large, &day, self.days)?;
        figures.section(
            &format!("Flat growth, {name}: {} logs / the last day's alone", self.days.words()),
            report,
        )?;
        day.stop()?;
        let mut report = Report::default();
        whole::measure(&mut report, &large, self.days)?;
        figures.section(&format!("Over the whole range, {name}"), report)?;
        large.stop()
    }
}

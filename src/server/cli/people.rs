//! Commands that make projects, people and keys. They work while the server runs.

use std::io::Read;

use clap::{Args, Subcommand};

use super::{CliError, print};
use crate::model::id::IdKind;
use crate::model::key::KeyWish;
use crate::model::member::read_email;
use crate::model::rights::{Role, Scope};
use crate::server::access::issue::{self, Issuer};
use crate::server::access::passwords;
use crate::server::clock::{Clock, Random};
use crate::server::config::DatabaseOption;
use crate::server::store::projects::{self, Project};
use crate::server::store::{Db, accounts, second_factor, sessions};

/// No password is longer, so no more is read.
const PASSWORD_READ: u64 = 4_096;

#[derive(Debug, Subcommand)]
pub(super) enum ProjectCommand {
    /// Makes a project and prints its id
    Add {
        /// What people call it
        name: String,
        /// The time zone that its people mean by "Project": an IANA name, as Europe/Berlin
        #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = parse_zone)]
        time_zone: String,
        #[command(flatten)]
        database: DatabaseOption,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Makes a person, or makes somebody a member of one more project. The first person of all runs the instance
    Add(AddUser),
    /// Helps somebody who cannot sign in: gives them another password, or turns their second factor off. Either ends all their sign-ins
    Reset(ResetUser),
}

#[derive(Debug, Args)]
pub(super) struct ResetUser {
    /// How they sign in
    email: String,
    /// Read their new password from standard input
    #[arg(long, required_unless_present = "second_factor_off")]
    password_stdin: bool,
    /// Turn their second factor off: they sign in by their password alone, until they set one up anew
    #[arg(long)]
    second_factor_off: bool,
    #[command(flatten)]
    database: DatabaseOption,
}

#[derive(Debug, Args)]
pub(super) struct AddUser {
    /// How they sign in
    email: String,
    /// What people call them
    #[arg(long, default_value = "")]
    name: String,
    /// What they are in the project
    #[arg(long, requires = "project", value_parser = parse_role)]
    role: Option<Role>,
    /// The project they become a member of; without it they belong nowhere yet
    #[arg(long, requires = "role", value_name = "PRJ")]
    project: Option<String>,
    /// Read the password from standard input: needed for a new person
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    database: DatabaseOption,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Makes a key and prints it, once, as JSON with `app_id` and `app_token`
    Add(AddKey),
}

#[derive(Debug, Args)]
pub(super) struct AddKey {
    /// The project the key is for
    #[arg(
        long,
        value_name = "PRJ",
        required_unless_present = "management",
        conflicts_with = "management"
    )]
    project: Option<String>,
    /// What people call it
    #[arg(long, required_unless_present = "management")]
    name: Option<String>,
    /// What it may do: read, read:bodies, logs:write, tasks:write, exports:write, webhooks:write, events:write
    #[arg(long, value_name = "SCOPE,…", value_delimiter = ',', value_parser = parse_scope,
          required_unless_present = "management", conflicts_with = "management")]
    scopes: Vec<Scope>,
    /// A client-side key: one that browsers hold, for sending logs and events alone
    #[arg(long, requires = "origins", conflicts_with = "management")]
    client: bool,
    /// The origins a client-side key is taken from, such as `https://shop.example.com`
    #[arg(long, value_name = "ORIGIN,…", value_delimiter = ',', requires = "client")]
    origins: Vec<String>,
    /// Days after which it is taken no more
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u16).range(1..), conflicts_with = "management")]
    expires_in_days: Option<u16>,
    /// Calls a minute of its own, in the place of --rate-limit
    #[arg(long, value_name = "CALLS", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "management")]
    calls_a_minute: Option<u32>,
    /// A key that manages the instance: projects, members, keys
    #[arg(long)]
    management: bool,
    #[command(flatten)]
    database: DatabaseOption,
}

fn parse_zone(text: &str) -> Result<String, String> {
    let zone = jiff::tz::TimeZone::get(text).map_err(|_| "is no time zone: write an IANA name, as Europe/Berlin".to_owned())?;
    Ok(zone.iana_name().unwrap_or(text).to_owned())
}

pub(super) async fn project(command: ProjectCommand) -> Result<(), CliError> {
    let ProjectCommand::Add {
        name,
        time_zone,
        database,
    } = command;
    if name.trim().is_empty() {
        return Err(CliError::Refused("a project needs a name".to_owned()));
    }
    let db = open(&database).await?;
    let now_ms = Clock::System.now_ms();
    let id = Random::system().id(IdKind::Project, now_ms);
    let project = projects::add(&db, &id, name.trim(), &time_zone, now_ms).await?;
    db.close().await;
    print(&project.id)
}

pub(super) async fn user(command: UserCommand) -> Result<(), CliError> {
    match command {
        UserCommand::Add(add) => add_user(add).await,
        UserCommand::Reset(reset) => reset_user(reset).await,
    }
}

async fn reset_user(reset: ResetUser) -> Result<(), CliError> {
    let password = if reset.password_stdin { Some(read_password()?) } else { None };
    let db = open(&reset.database).await?;
    let user = accounts::find_by_email(&db, &reset.email)
        .await?
        .ok_or_else(|| CliError::Refused(format!("there is nobody with the e-mail address {}", reset.email)))?;
    if let Some(password) = password {
        let hash = passwords::hash(password, &Random::system()).await?;
        accounts::set_password(&db, user.key, &hash).await?;
    }
    if reset.second_factor_off {
        second_factor::clear(&db, user.key).await?;
    }
    sessions::end_all(&db, user.key, None).await?;
    db.close().await;
    print(&user.id)
}

async fn add_user(add: AddUser) -> Result<(), CliError> {
    check_email(&add.email)?;
    let password = if add.password_stdin { Some(read_password()?) } else { None };
    let db = open(&add.database).await?;
    let project = match &add.project {
        Some(id) => Some(find_project(&db, id).await?),
        None => None,
    };
    let user = match accounts::find_by_email(&db, &add.email).await? {
        Some(user) => known_user(user, password, project.is_some()).await?,
        None => new_user(&db, &add, password).await?,
    };
    if let (Some(project), Some(role)) = (&project, add.role) {
        accounts::set_member(&db, project.key, user.key, role, Clock::System.now_ms()).await?;
    }
    db.close().await;
    print(&user.id)
}

async fn new_user(db: &Db, add: &AddUser, password: Option<String>) -> Result<accounts::User, CliError> {
    let password = password
        .ok_or_else(|| CliError::Refused("a new person needs a password: give --password-stdin and type it".to_owned()))?;
    let random = Random::system();
    let now_ms = Clock::System.now_ms();
    let new = accounts::NewUser {
        id: &random.id(IdKind::User, now_ms),
        email: &add.email,
        name: add.name.trim(),
        password_hash: &passwords::hash(password, &random).await?,
        may_operate: true,
        now_ms,
    };
    Ok(accounts::add(db, new).await?)
}

/// Somebody who exists may join a project; their password stays, and one that is given must be theirs.
async fn known_user(user: accounts::User, password: Option<String>, joins: bool) -> Result<accounts::User, CliError> {
    if !joins {
        return Err(CliError::Refused(format!("{} exists already", user.email)));
    }
    if let Some(password) = password
        && !passwords::verify(password, Some(user.password_hash.clone())).await?
    {
        return Err(CliError::Refused(format!(
            "{} exists already, with another password; leave --password-stdin out to add them to the project",
            user.email
        )));
    }
    Ok(user)
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

pub(super) async fn key(command: KeyCommand) -> Result<(), CliError> {
    let KeyCommand::Add(add) = command;
    let db = open(&add.database).await?;
    let (clock, random) = (Clock::System, Random::system());
    let issuer = Issuer {
        clock: &clock,
        random: &random,
    };
    let name = add.name.as_deref();
    let shown = match &add.project {
        None => issue::management_key(&db, &issuer, name.unwrap_or("management")).await?,
        Some(id) => {
            let project = find_project(&db, id).await?.key;
            let days = add.expires_in_days.map(i64::from);
            let wish = KeyWish {
                name: name.unwrap_or_default().to_owned(),
                scopes: add.scopes,
                origins: add.client.then_some(add.origins),
                calls_a_minute: add.calls_a_minute,
                expires_at: days.map(|days| clock.now_ms() + days * DAY_MS),
            };
            issue::project_key(&db, &issuer, project, &wish).await?.0
        }
    };
    db.close().await;
    let json = serde_json::to_string(&shown).map_err(|error| CliError::Refused(error.to_string()))?;
    print(&json)
}

/// Opens the database and brings it up to date.
pub(super) async fn open(database: &DatabaseOption) -> Result<Db, CliError> {
    let db = Db::open(&database.database_url).await?;
    db.migrate().await?;
    Ok(db)
}

pub(super) async fn find_project(db: &Db, id: &str) -> Result<Project, CliError> {
    projects::find(db, id)
        .await?
        .ok_or_else(|| CliError::NoProject(id.to_owned()))
}

fn read_password() -> Result<String, CliError> {
    let mut text = String::new();
    std::io::stdin()
        .take(PASSWORD_READ)
        .read_to_string(&mut text)
        .map_err(CliError::io("the password on standard input"))?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

/// Only what can never be an address is refused: whether mail arrives there is not asked.
fn check_email(email: &str) -> Result<(), CliError> {
    match read_email(email) {
        Some(_) => Ok(()),
        None => Err(CliError::Refused(format!("{email:?} is no e-mail address"))),
    }
}

fn parse_role(word: &str) -> Result<Role, String> {
    Role::parse(word).ok_or_else(|| "a role is owner, member or auditor".to_owned())
}

fn parse_scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word.trim()).ok_or_else(|| format!("the scopes are {}", Scope::ALL.map(Scope::as_str).join(", ")))
}

//! Makes, changes and deletes projects: for pages and for calls of the management API alike.

use jiff::tz::TimeZone;

use super::state::Server;
use super::store::projects::{self, Project};
use super::store::{Changed, StoreError, accounts};
use crate::model::id::IdKind;
use crate::model::project::ProjectWish;
use crate::model::rights::Role;

/// Characters of a project's name.
const NAME_CHARS: usize = 100;
/// Route templates of a project, and bytes of one.
const MOST_TEMPLATES: usize = 500;
const TEMPLATE_BYTES: usize = 512;

/// Why a project cannot be as somebody wants it.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// Nobody could tell it from another.
    #[error("a project needs a name")]
    NoName,
    /// Nobody could read it in a list.
    #[error("a project's name has at most {NAME_CHARS} characters")]
    LongName,
    /// There is none of that name.
    #[error("{0:?} is no time zone: write an IANA name, as Europe/Berlin")]
    TimeZone(String),
    /// It would name nothing.
    #[error("{0:?} is no route template: one looks like /v1/vouchers/{{code}}, or POST /v1/vouchers")]
    Template(String),
    /// Each is looked at for every log.
    #[error("a project has at most {MOST_TEMPLATES} route templates")]
    ManyTemplates,
    /// It was deleted meanwhile.
    #[error("there is no such project any more")]
    Gone,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The wish as it can be kept, or what is wrong with it.
fn checked(wish: &ProjectWish) -> Result<ProjectWish, ProjectError> {
    let name = wish.name.trim();
    if name.is_empty() {
        return Err(ProjectError::NoName);
    }
    if name.chars().count() > NAME_CHARS {
        return Err(ProjectError::LongName);
    }
    if wish.templates.len() > MOST_TEMPLATES {
        return Err(ProjectError::ManyTemplates);
    }
    Ok(ProjectWish {
        name: name.to_owned(),
        time_zone: read_zone(&wish.time_zone)?,
        templates: wish
            .templates
            .iter()
            .map(|text| read_template(text))
            .collect::<Result<_, _>>()?,
    })
}

fn read_zone(text: &str) -> Result<String, ProjectError> {
    let text = text.trim();
    let zone = TimeZone::get(text).map_err(|_| ProjectError::TimeZone(text.to_owned()))?;
    Ok(zone.iana_name().unwrap_or(text).to_owned())
}

fn read_template(text: &str) -> Result<String, ProjectError> {
    let text = text.trim();
    let (method, path) = text.split_once(char::is_whitespace).unwrap_or(("", text));
    let path = path.trim_start();
    let is_sound = method.bytes().all(|byte| byte.is_ascii_alphabetic())
        && path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'?' && byte != b'#')
        && text.len() <= TEMPLATE_BYTES;
    if !is_sound {
        return Err(ProjectError::Template(text.to_owned()));
    }
    Ok(if method.is_empty() {
        path.to_owned()
    } else {
        format!("{} {path}", method.to_ascii_uppercase())
    })
}

/// Makes a project. Whoever is named (a person's number) owns it; by the management API it may belong to nobody yet.
pub async fn create(server: &Server, wish: &ProjectWish, owner: Option<i64>) -> Result<Project, ProjectError> {
    let wish = checked(wish)?;
    let now_ms = server.clock.now_ms();
    let id = server.random.id(IdKind::Project, now_ms);
    let project = projects::add(&server.db, &id, &wish.name, &wish.time_zone, now_ms).await?;
    if !wish.templates.is_empty() {
        projects::set_endpoint_templates(&server.db, project.key, &wish.templates).await?;
    }
    if let Some(owner) = owner {
        accounts::set_member(&server.db, project.key, owner, Role::Owner, now_ms).await?;
    }
    server.door.forget();
    Ok(project)
}

/// Changes a project; gives what was so before and after.
pub async fn change(server: &Server, project: &Project, wish: &ProjectWish) -> Result<Changed<ProjectWish>, ProjectError> {
    let wish = checked(wish)?;
    let changed = projects::change(&server.db, project.key, &wish).await?;
    server.forget_endpoints(project.key);
    server.door.forget();
    changed.ok_or(ProjectError::Gone)
}

/// What of a project can be changed, as it is.
pub async fn settings(server: &Server, project: &Project) -> Result<ProjectWish, StoreError> {
    Ok(ProjectWish {
        name: project.name.clone(),
        time_zone: project.time_zone.clone(),
        templates: projects::endpoint_templates(&server.db, project.key).await?,
    })
}

/// Deletes a project, at once for everybody; what it held is removed in the background from a minute later on, but for the record
/// of what people did in it, which stays for a year at least. Gives what it was.
pub async fn delete(server: &Server, project: &Project) -> Result<ProjectWish, ProjectError> {
    let before = settings(server, project).await?;
    if !projects::delete(&server.db, project.key, server.clock.now_ms()).await? {
        return Err(ProjectError::Gone);
    }
    tracing::warn!(project = project.id, name = project.name, "a project was deleted");
    server.forget_endpoints(project.key);
    server.door.forget();
    Ok(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_a_path_with_or_without_a_method() {
        assert_eq!(read_template(" /v1/vouchers/{code} ").unwrap(), "/v1/vouchers/{code}");
        assert_eq!(read_template("post  /v1/vouchers").unwrap(), "POST /v1/vouchers");
        for wrong in [
            "",
            "v1/vouchers",
            "https://a.example/v1",
            "/v1/a b",
            "/v1?x=1",
            "/v1#x",
            "P0ST /v1",
            "/ü",
        ] {
            assert!(read_template(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_zone_is_kept_by_its_own_name() {
        assert_eq!(read_zone("europe/berlin").unwrap(), "Europe/Berlin");
        assert_eq!(read_zone("UTC").unwrap(), "UTC");
        assert!(read_zone("Mars/Olympus").is_err());
        assert!(read_zone("").is_err());
    }
}

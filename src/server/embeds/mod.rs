//! Embedded views: who may make and end which, what each shows, and why one shows nothing.
//!
//! A link shows what its view selects, within the rights that it names; whoever holds it is nobody, and gets nothing else. Where anything about it is in doubt (its view is gone, or
//! has a filter that this version does not know) it shows nothing, since less filters would show more.

mod change;
pub mod open;
pub mod token;

pub use change::{EmbedError, create, remove, revoke};

use super::access::Member;
use super::selection::SelectionError;
use super::state::Server;
use super::store::StoreError;
use super::store::embeds::{self as store, Embed};
use super::store::projects::{Project, ProjectKey};
use super::store::views::View;
use super::views::{self, kept};
use crate::model::embed::{self, EmbedFacts, EmbedStanding, Maker, covers};
use crate::model::member::RoleRights;
use crate::model::query::{LogQuery, QueryProblem};
use crate::model::rights::Rights;
use crate::model::view::{ViewQuery, ViewTab};

/// Why an embedded view that has not ended shows nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// There is no such view that is shared.
    #[error("Its view is gone, or no longer shared in the project.")]
    Gone,
    /// Without what is not known it would show more than was meant.
    #[error(
        "Its view has what this version does not know ({0}), and would show more without it: open the view, and save it again."
    )]
    LeftOut(String),
    /// The view asks for what the link does not show.
    #[error("Its view filters by {0}, which reads what this link does not show.")]
    MayNot(String),
    /// The view makes no sense by now.
    #[error("Its view makes no sense now: {0}.")]
    Problem(QueryProblem),
}

/// What a view selects for whoever has these rights, as it stands; the reason where it is not to be shown.
pub fn query(server: &Server, project: &Project, view: &View, rights: Rights, now_ms: i64) -> Result<LogQuery, Closed> {
    let (query, left_out) = kept::read(server, project, view);
    if !left_out.is_empty() {
        return Err(Closed::LeftOut(left_out.join(", ")));
    }
    kept::check(server, project, rights, &query, now_ms).map_err(|error| match error {
        SelectionError::NotAllowed(problem) => Closed::MayNot(problem.argument),
        SelectionError::Problem(problem) => Closed::Problem(problem),
    })?;
    match query {
        ViewQuery::Logs(query) => Ok(query),
        ViewQuery::Records(_) => Err(Closed::Gone),
    }
}

/// A view that can be embedded: one of the Logs tab, shared in the project.
async fn view_of(server: &Server, project: ProjectKey, id: &str) -> Result<Option<View>, StoreError> {
    let view = views::shared(server, project, id).await?;
    Ok(view.filter(|view| view.tab == ViewTab::Logs))
}

/// Whether a person may end one: their own, and owners any.
const fn can_end(embed: &Embed, member: &Member) -> bool {
    member.rights.settle || (member.rights.work && embed.user == member.person.key)
}

/// The whole link.
pub fn link(server: &Server, embed: &Embed) -> String {
    let token = token::token(&server.key, &embed.id, embed.expires_at);
    format!("{}/embed/{token}", server.config.public_url())
}

/// An embedded view as a person of its project sees it. `view` is its view, where that is shared; `roles` is what the project lets each role see.
pub fn facts(server: &Server, member: &Member, embed: Embed, view: Option<&View>, roles: &[RoleRights]) -> EmbedFacts {
    let now_ms = server.clock.now_ms();
    let is_open = embed.standing(now_ms) == EmbedStanding::Open;
    let rights = embed::rights(embed.bodies, embed.users);
    let shown = view.map_or(Err(Closed::Gone), |view| {
        query(server, &member.project, view, rights, now_ms).map(|_| ())
    });
    // A link gives whoever opens it what it names: so it is for those who see as much themselves.
    let may_have = is_open && member.rights.work && covers(member.rights, embed.bodies, embed.users);
    let is_mine = embed.user == member.person.key;
    EmbedFacts {
        view_name: view.map(|view| view.name.clone()),
        closed: shown.err().filter(|_| is_open).map(|closed| closed.to_string()),
        link: may_have.then(|| link(server, &embed)),
        can_end: can_end(&embed, member),
        maker: maker(&embed, roles),
        by: (is_mine || member.rights.read_users).then_some(embed.by),
        id: embed.id,
        name: embed.name,
        view: embed.view,
        bodies: embed.bodies,
        users: embed.users,
        origins: embed.origins,
        created_at: embed.created_at,
        expires_at: embed.expires_at,
        revoked_at: embed.revoked_at,
        opened: embed.opened,
        opened_at: embed.opened_at,
    }
}

/// What whoever made it may do by now.
fn maker(embed: &Embed, roles: &[RoleRights]) -> Maker {
    let Some(role) = embed.role else {
        return Maker::Left;
    };
    let sight = roles.iter().find(|sight| sight.role == role);
    let rights = sight.map(|sight| Rights::of_role(role, sight.read_bodies, sight.read_users));
    if rights.is_some_and(|rights| rights.work && covers(rights, embed.bodies, embed.users)) {
        Maker::Could
    } else {
        Maker::MayLess
    }
}

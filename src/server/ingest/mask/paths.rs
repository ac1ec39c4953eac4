//! JSON paths: which of them lead on to a value, from the body's root inwards. Where each stands is kept beside an open bracket, so a walk asks for it once a member.

use crate::model::masking::path::Step;

/// So many steps of a path have been taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Taken {
    path: u16,
    steps: u16,
}

/// A project's paths.
#[derive(Debug, Default)]
pub(super) struct Paths(Vec<Vec<Step>>);

impl Paths {
    pub(super) const fn new(paths: Vec<Vec<Step>>) -> Self {
        Self(paths)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// At the root of a body.
    pub(super) fn at_root(&self) -> Vec<Taken> {
        let paths = 0..self.0.len();
        paths
            .map(|path| Taken {
                path: path as u16,
                steps: 0,
            })
            .collect()
    }

    /// At a body that is also shown as this member of another: paths may begin at either.
    pub(super) fn at_root_or_member(&self, name: &str) -> Vec<Taken> {
        let root = self.at_root();
        let inner = self.member(&root, name.as_bytes());
        root.into_iter().chain(inner).collect()
    }

    /// Those that lead on to a member of this name.
    pub(super) fn member(&self, from: &[Taken], name: &[u8]) -> Vec<Taken> {
        self.on(from, |step| match step {
            Step::Name(own) => own.as_bytes() == name,
            Step::Every => true,
            Step::Place(_) => false,
        })
    }

    /// Those that lead on to the item at this place.
    pub(super) fn item(&self, from: &[Taken], place: usize) -> Vec<Taken> {
        self.on(from, |step| match step {
            Step::Place(own) => usize::try_from(*own) == Ok(place),
            Step::Every => true,
            Step::Name(_) => false,
        })
    }

    fn on(&self, from: &[Taken], leads: impl Fn(&Step) -> bool) -> Vec<Taken> {
        let next = |taken: &&Taken| {
            self.0[usize::from(taken.path)]
                .get(usize::from(taken.steps))
                .is_some_and(&leads)
        };
        let on = from.iter().filter(next);
        on.map(|taken| Taken {
            steps: taken.steps + 1,
            ..*taken
        })
        .collect()
    }

    /// Whether one of them ends here.
    pub(super) fn end(&self, here: &[Taken]) -> bool {
        here.iter()
            .any(|taken| self.0[usize::from(taken.path)].len() == usize::from(taken.steps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::masking::path;

    #[test]
    fn paths_lead_from_the_root_inwards() {
        let read = ["$.a.b", "$.a[1]", "$[*].c", "$.data.a"].map(|path| path::read(path).expect("a path"));
        let paths = Paths::new(read.into());
        let root = paths.at_root();
        assert!(!paths.end(&root));
        let a = paths.member(&root, b"a");
        assert_eq!(a.len(), 3, "`*` is every member, too");
        assert!(paths.end(&paths.member(&a, b"b")) && paths.end(&paths.member(&a, b"c")) && !paths.end(&paths.member(&a, b"a")));
        assert!(paths.end(&paths.item(&a, 1)) && !paths.end(&paths.item(&a, 0)));
        assert!(paths.item(&a, 0).is_empty() && paths.member(&paths.member(&a, b"b"), b"b").is_empty());
        let data = paths.at_root_or_member("data");
        assert!(paths.end(&paths.member(&data, b"a")), "as part of the whole");
        assert!(paths.end(&paths.member(&paths.member(&data, b"a"), b"b")), "and by itself");
    }
}

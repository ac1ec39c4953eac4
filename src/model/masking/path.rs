//! JSON paths, as far as rules need them (RFC 9535): `$.customer.address.line1`, `$.items[*].note`, `$['odd key'][0]`.
//!
//! To understand more: a [`Step`], and its arm in [`Reader::step`].

use std::iter::Peekable;
use std::str::Chars;

/// Steps of a path.
const MAX_STEPS: usize = 32;

/// One step from a value to those inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An object's member of this name.
    Name(String),
    /// A list's item at this place, from 0.
    Place(u32),
    /// Every item, or every member.
    Every,
}

/// What is wrong with a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathFault {
    /// The character, from 1.
    pub place: usize,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// The steps of a path; at least one.
pub fn read(path: &str) -> Result<Vec<Step>, PathFault> {
    let mut reader = Reader {
        letters: path.chars().peekable(),
        place: 1,
    };
    if reader.letters.next_if_eq(&'$').is_none() {
        return reader.fault("a path begins with $, the body itself, as $.customer.email");
    }
    reader.place += 1;
    let mut steps = Vec::new();
    while reader.letters.peek().is_some() {
        if steps.len() == MAX_STEPS {
            return reader.fault(&format!("a path has at most {MAX_STEPS} steps"));
        }
        steps.push(reader.step()?);
    }
    if steps.is_empty() {
        return reader.fault("$ alone is the whole body: go on with a name, as $.customer");
    }
    Ok(steps)
}

struct Reader<'a> {
    letters: Peekable<Chars<'a>>,
    /// Of the next letter, from 1.
    place: usize,
}

impl Reader<'_> {
    fn fault<T>(&self, reason: &str) -> Result<T, PathFault> {
        Err(PathFault {
            place: self.place,
            reason: reason.to_owned(),
        })
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.letters.next()?;
        self.place += 1;
        Some(letter)
    }

    fn take(&mut self, letter: char) -> bool {
        let is_there = self.letters.peek() == Some(&letter);
        if is_there {
            self.next();
        }
        is_there
    }

    fn step(&mut self) -> Result<Step, PathFault> {
        if self.take('.') {
            return if self.take('*') { Ok(Step::Every) } else { self.name() };
        }
        if self.take('[') {
            let step = self.in_brackets()?;
            return if self.take(']') {
                Ok(step)
            } else {
                self.fault("the bracket is not closed: ] is missing")
            };
        }
        self.fault("a step begins with a dot or a bracket, as .name, ['name'], [0] or [*]")
    }

    /// A name behind a dot.
    fn name(&mut self) -> Result<Step, PathFault> {
        if self.letters.peek() == Some(&'.') {
            return self
                .fault("two dots are not understood: to mask a name wherever it stands, make a rule of the kind Key name");
        }
        let mut name = String::new();
        while let Some(letter) = self.letters.peek().copied().filter(|letter| !".[".contains(*letter)) {
            if letter.is_whitespace() || letter.is_control() || "]()'\"?*,:".contains(letter) {
                return self.fault("a name with such a letter is written in brackets and quotes, as ['odd name']");
            }
            name.push(letter);
            self.next();
        }
        if name.is_empty() {
            return self.fault("a name is missing behind the dot");
        }
        Ok(Step::Name(name))
    }

    fn in_brackets(&mut self) -> Result<Step, PathFault> {
        match self.letters.peek().copied() {
            Some('*') => {
                self.next();
                Ok(Step::Every)
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            Some(digit) if digit.is_ascii_digit() => self.number(),
            Some('-') => self.fault("items are counted from the beginning, from 0"),
            Some('?' | ':' | '(') => self.fault("filters and ranges are not understood: [*] is every item"),
            _ => self.fault("in brackets stands a name in quotes, the place of an item, or *"),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Step, PathFault> {
        self.next();
        let mut name = String::new();
        loop {
            match self.next() {
                None => return self.fault("the name is not closed: its second quote is missing"),
                Some(letter) if letter == quote => return Ok(Step::Name(name)),
                Some('\\') => match self.next() {
                    Some(letter @ ('\\' | '\'' | '"' | '/')) => name.push(letter),
                    _ => {
                        return self
                            .fault(r"behind a backslash stands a quote or a backslash; any other letter stands for itself");
                    }
                },
                Some(letter) => name.push(letter),
            }
        }
    }

    fn number(&mut self) -> Result<Step, PathFault> {
        let mut digits = String::new();
        while let Some(digit) = self.letters.peek().copied().filter(char::is_ascii_digit) {
            digits.push(digit);
            self.next();
        }
        if self.letters.peek() == Some(&':') {
            return self.fault("filters and ranges are not understood: [*] is every item");
        }
        match digits.parse() {
            Ok(place) => Ok(Step::Place(place)),
            Err(_) => self.fault("no list has so many items"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Step {
        Step::Name(name.to_owned())
    }

    #[test]
    fn paths_are_read_step_by_step() {
        for (path, steps) in [
            (
                "$.customer.address.line1",
                vec![name("customer"), name("address"), name("line1")],
            ),
            ("$.items[*].note", vec![name("items"), Step::Every, name("note")]),
            ("$[0].*", vec![Step::Place(0), Step::Every]),
            ("$['odd key'][\"it's\"]", vec![name("odd key"), name("it's")]),
            (r"$['a\'b\\']", vec![name(r"a'b\")]),
            ("$.größe.x-y_z@1$", vec![name("größe"), name("x-y_z@1$")]),
            ("$['']", vec![name("")]),
        ] {
            assert_eq!(read(path), Ok(steps), "{path}");
        }
    }

    #[test]
    fn a_fault_has_its_place() {
        for (path, place, word) in [
            ("", 1, "begins with $"),
            ("customer.email", 1, "begins with $"),
            ("$", 2, "whole body"),
            ("$customer", 2, "a dot or a bracket"),
            ("$.", 3, "missing"),
            ("$.a..b", 5, "Key name"),
            ("$..a", 3, "Key name"),
            ("$.a b", 4, "brackets and quotes"),
            ("$.a[0", 6, "not closed"),
            ("$.a[-1]", 5, "from the beginning"),
            ("$.a[1:2]", 6, "ranges"),
            ("$.a[?x]", 5, "filters"),
            ("$['a", 5, "second quote"),
            ("$[a]", 3, "in quotes"),
            ("$[99999999999]", 14, "so many"),
            ("$.a]", 4, "brackets and quotes"),
            (r"$['a\x']", 7, "backslash"),
        ] {
            let fault = read(path).expect_err(path);
            assert!(fault.place == place && fault.reason.contains(word), "{path}: {fault:?}");
        }
        assert!(read(&format!("${}", ".a".repeat(33))).is_err());
    }
}

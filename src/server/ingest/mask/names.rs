//! Which names give a secret away.

use std::collections::HashSet;

/// Secret where a name is one of these, or ends in it as whole words: `userPassword`, `client_secret`, `user[pin]`.
/// Written as [`SecretNames`] compares: lower case, letters alone (digits at the end of a name count for nothing: `password2`, `cvv2`).
pub(super) const WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "passwordhash",
    "passworddigest",
    "passwordconfirmation",
    "passwordconfirm",
    "passwordrepeat",
    "passwordagain",
    "secret",
    "secrets",
    "secretkey",
    "secretaccesskey",
    "token",
    "tokenvalue",
    "tokensecret",
    "accesstokens",
    "refreshtokens",
    "apikey",
    "apikeys",
    "apisecret",
    "accesskey",
    "privatekey",
    "privatekeys",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "authorization",
    "proxyauthorization",
    "cookie",
    "cookies",
    "setcookie",
    "credential",
    "credentials",
    "connectionstring",
    "cardnumber",
    "cardno",
    "ccnumber",
    "creditcard",
    "creditcardnumber",
    "debitcardnumber",
    "primaryaccountnumber",
    "pan",
    "cvv",
    "cvc",
    "cvn",
    "csc",
    "cardcode",
    "cardsecuritycode",
    "securitycode",
    "ssn",
    "socialsecuritynumber",
    "iban",
    "pin",
    "otp",
    "totp",
    "jwt",
    "bearer",
    "mfacode",
    "recoverycode",
    "recoverycodes",
    "onetimecode",
];

/// Secret where a name is exactly one of these.
pub(super) const WHOLE: &[&str] = &["tokens", "pass"];

/// Secret at the end of a name even where no word begins there: `newuserpassword`.
pub(super) const ENDINGS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "apikey",
    "privatekey",
    "clientsecret",
    "accesstoken",
    "refreshtoken",
    "authtoken",
    "secretkey",
];

/// No secrets, although they end in one of [`WORDS`]: places in a list, and the like.
pub(super) const EXCEPTIONS: &[&str] = &[
    "pagetoken",
    "continuationtoken",
    "paginationtoken",
    "cursortoken",
    "nexttoken",
    "previoustoken",
    "synctoken",
    "starttoken",
    "idempotencytoken",
    "canceltoken",
    "designtoken",
    "skiptoken",
    "deltatoken",
    "haspassword",
    "requirespassword",
    "requirepassword",
];

/// Hold a card, or its number: a value of 13 to 19 digits with a right check digit is masked there, and everywhere inside.
pub(super) const CARDS: &[&str] = &[
    "card",
    "cards",
    "cc",
    "paymentcard",
    "paymentmethod",
    "paymentmethoddetails",
    "cardholder",
    "account",
    "accountnumber",
    "acct",
];

/// Longer than every name of the lists; what lies further from a name's end is not looked at.
const LONGEST: usize = 64;

/// So many different [`pair`]s there are.
const PAIRS: usize = 32 * 32;

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    /// Nothing.
    Plain,
    /// It is a secret.
    Secret,
    /// It may be a card's number.
    Card,
}

/// The names, each written backwards, since a name is read from its end.
#[derive(Clone, Debug)]
pub(super) struct SecretNames {
    words: HashSet<Vec<u8>>,
    whole: HashSet<Vec<u8>>,
    endings: Vec<Vec<u8>>,
    exceptions: HashSet<Vec<u8>>,
    /// What the instance says is secret: no project takes it back.
    always: HashSet<Vec<u8>>,
    /// What the project keeps of the rest.
    kept: HashSet<Vec<u8>>,
    cards: HashSet<Vec<u8>>,
    /// The pairs of letters that a listed name can end in: most names are settled by their last two.
    endings_in_use: Box<[bool; PAIRS]>,
}

impl SecretNames {
    /// The defaults, the instance's words and the project's; a word after `!` is an exception. The project's exceptions are none from the instance's words.
    pub(super) fn with(
        configured: impl IntoIterator<Item = impl AsRef<str>>,
        own: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let listed = |names: &[&str]| names.iter().map(|name| reversed(name)).collect::<HashSet<_>>();
        let (mut words, mut exceptions) = (listed(WORDS), listed(EXCEPTIONS));
        let (mut always, mut kept) = (HashSet::new(), HashSet::new());
        sort(configured, &mut always, &mut exceptions);
        sort(own, &mut words, &mut kept);
        words.extend(always.iter().cloned());
        let whole = listed(WHOLE);
        let cards = listed(CARDS);
        let endings = ENDINGS.iter().map(|name| reversed(name)).collect();
        let mut endings_in_use = Box::new([false; PAIRS]);
        for name in words.iter().chain(&whole).chain(&cards) {
            endings_in_use[pair(name.get(1).copied().unwrap_or_default(), name[0])] = true;
        }
        Self {
            words,
            whole,
            endings,
            exceptions,
            always,
            kept,
            cards,
            endings_in_use,
        }
    }

    /// Whether the instance's own words say that a name is secret, which no project takes back.
    pub(super) fn is_settled(&self, name: &[u8]) -> bool {
        let mut read = [0_u8; LONGEST];
        let mut settled = false;
        backwards(lettered(name), &mut read, |words| settled |= self.always.contains(words));
        settled
    }

    /// Reads a name (its escapes already resolved) from its end, word by word.
    pub(super) fn kind(&self, name: &[u8]) -> NameKind {
        let name = lettered(name);
        match *name {
            [] => return NameKind::Plain,
            [.., before, last] if !is_separator(before) && !self.endings_in_use[pair(before, last)] => return NameKind::Plain,
            _ => {}
        }
        let mut read = [0_u8; LONGEST];
        let (mut secret, mut always, mut kept, mut exception) = (false, false, false, false);
        let read = backwards(name, &mut read, |words| {
            exception |= self.exceptions.contains(words);
            secret |= self.words.contains(words);
            always |= self.always.contains(words);
            kept |= self.kept.contains(words);
        });
        if exception || (kept && !always) {
            return NameKind::Plain;
        }
        if secret || self.whole.contains(read) || self.endings.iter().any(|ending| read.starts_with(ending)) {
            NameKind::Secret
        } else if self.cards.contains(read) {
            NameKind::Card
        } else {
            NameKind::Plain
        }
    }
}

/// Puts names where they belong: those after `!` into the second list.
fn sort(names: impl IntoIterator<Item = impl AsRef<str>>, words: &mut HashSet<Vec<u8>>, exceptions: &mut HashSet<Vec<u8>>) {
    for name in names {
        let (list, name) = match name.as_ref().strip_prefix('!') {
            Some(name) => (&mut *exceptions, name),
            None => (&mut *words, name.as_ref()),
        };
        let name = reversed(name);
        if !name.is_empty() && name.len() < LONGEST {
            list.insert(name);
        }
    }
}

/// A name up to its last letter.
fn lettered(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|byte| is_letter(*byte)).map_or(0, |last| last + 1);
    &name[..end]
}

/// Reads a name from its end, and tells of every place where a word begins what stands from there on, backwards; gives all of it.
fn backwards<'r>(name: &[u8], read: &'r mut [u8; LONGEST], mut tell: impl FnMut(&[u8])) -> &'r [u8] {
    let mut len = 0;
    for place in (0..name.len()).rev() {
        let byte = name[place];
        if is_separator(byte) {
            continue;
        }
        if len == LONGEST {
            break;
        }
        read[len] = byte.to_ascii_lowercase();
        len += 1;
        if begins_word(name, place) {
            tell(&read[..len]);
        }
    }
    &read[..len]
}

/// A number for two letters, the same in either case.
const fn pair(before: u8, last: u8) -> usize {
    (before as usize & 31) << 5 | (last as usize & 31)
}

/// Anything that is not ASCII counts as a letter: it belongs to the word that it stands in.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

fn is_separator(byte: u8) -> bool {
    !is_letter(byte) && !byte.is_ascii_digit()
}

/// Whether a word begins at `place`: after punctuation or a digit, or where capitals begin or end (`userPassword`, `APIToken`).
fn begins_word(name: &[u8], place: usize) -> bool {
    let Some(before) = place.checked_sub(1).map(|before| name[before]) else {
        return true;
    };
    let byte = name[place];
    if !is_letter(before) {
        return true;
    }
    let next_is_lower = name.get(place + 1).is_some_and(u8::is_ascii_lowercase);
    byte.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_is_lower)
}

fn reversed(name: &str) -> Vec<u8> {
    let letters = name.trim_end_matches(|letter: char| !letter.is_alphabetic());
    letters
        .bytes()
        .rev()
        .filter(|byte| !is_separator(*byte))
        .map(|byte| byte.to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(name: &str) -> NameKind {
        SecretNames::with(["fidelity_seed"], [""; 0]).kind(name.as_bytes())
    }

    #[test]
    fn secrets_are_known_by_their_last_words() {
        for name in [
            "password",
            "Password",
            "PASSWORD",
            "userPassword",
            "user_password",
            "user-password",
            "user password",
            "user[password]",
            "new.password",
            "newuserpassword",
            "password2",
            "password_2",
            "passwordConfirmation",
            "client_secret",
            "clientSecret",
            "accessToken",
            "access_token",
            "oauth2token",
            "APIToken",
            "APIKey",
            "api_key",
            "api-key",
            "apikey",
            "X-Api-Key",
            "privateKey",
            "card_number",
            "cardNumber",
            "cvv2",
            "CVC",
            "ssn",
            "IBAN",
            "Set-Cookie",
            "cookie",
            "authorization",
            "tokens",
            "pass",
            "db.passwd",
            "user_pin",
            "fidelitySeed",
            "my_fidelity_seed",
        ] {
            assert_eq!(kind(name), NameKind::Secret, "{name}");
        }
    }

    #[test]
    fn what_only_looks_like_a_secret_is_left_alone() {
        for name in [
            "",
            "_",
            "42",
            "page_token",
            "nextPageToken",
            "next_page_token",
            "continuationToken",
            "tokens_used",
            "max_tokens",
            "token_type",
            "tokenized",
            "secretary",
            "passenger",
            "boarding_pass",
            "compass",
            "japan",
            "span",
            "key",
            "keys",
            "pinned",
            "spin",
            "opinion",
            "password_reset_required",
            "cookies_enabled",
            "hasPassword",
            "author",
            "code",
            "number",
            "carder",
        ] {
            assert_eq!(kind(name), NameKind::Plain, "{name}");
        }
    }

    #[test]
    fn a_card_is_no_secret_by_itself() {
        for name in ["card", "account_number", "paymentMethod"] {
            assert_eq!(kind(name), NameKind::Card, "{name}");
        }
    }

    #[test]
    fn a_project_keeps_what_is_built_in_and_nothing_of_the_instance_s() {
        let names = SecretNames::with(["seed", "!pin"], ["!token", "!fidelity_seed", "nickname", "pin"]);
        for (name, kind) in [
            ("token", NameKind::Plain),
            ("accessToken", NameKind::Plain),
            ("password", NameKind::Secret),
            ("nickname", NameKind::Secret),
            ("seed", NameKind::Secret),
            ("fidelity_seed", NameKind::Secret),
            ("pin", NameKind::Plain),
        ] {
            assert_eq!(names.kind(name.as_bytes()), kind, "{name}");
        }
        assert!(names.is_settled(b"my_seed") && !names.is_settled(b"token"));
    }

    #[test]
    fn a_very_long_name_is_read_from_its_end() {
        assert_eq!(kind(&format!("{}_password", "x".repeat(100_000))), NameKind::Secret);
        assert_eq!(kind(&"x".repeat(100_000)), NameKind::Plain);
    }
}

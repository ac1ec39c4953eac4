//! The instance key: one secret of 32 bytes, from which every other is derived. Signs cursors and links, seals what must not lie open.
//!
//! Keys from before may stand after it: they still open what they sealed, and what they signed is still good; nothing new is made with them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::clock::Random;
use super::config::DataOptions;

/// What lies sealed for long is sealed for one of these, so that it can be sealed anew (`reseal.rs`).
pub mod purposes {
    /// An endpoint's secret.
    pub const WEBHOOK_SECRET: &str = "webhook-secret";
    /// An endpoint's own headers.
    pub const WEBHOOK_HEADERS: &str = "webhook-headers";
    /// What an event says.
    pub const EVENT_DATA: &str = "event-data";
    /// An attempt's headers and answer.
    pub const ATTEMPT: &str = "attempt";
    /// The original of an import beside a log.
    pub const IMPORT_FILE: &str = "import-file";
    /// The secret of a second factor.
    pub const SECOND_FACTOR: &str = "second-factor";
    /// What a gateway recorded and has not stored yet: it is sealed anew by being stored.
    pub const GATEWAY_SPOOL: &str = "gateway-spool";
    /// What signs chains' heads: nothing is sealed with it.
    pub const CHAIN: &str = "chain";
    /// What waits to be confirmed as one.
    pub const SECOND_FACTOR_PENDING: &str = "second-factor-pending";
}

/// The variable that holds the key itself.
pub const KEY_VARIABLE: &str = "AUDIT_LOG_SECRET_KEY";
/// The file in the data folder where a key is made.
const KEY_FILE: &str = "secret.key";
/// Bytes of a nonce of XChaCha20-Poly1305: long enough to be drawn at random.
const NONCE_LEN: usize = 24;
/// Bytes of a signature under which it is none.
const SHORTEST: usize = 16;

/// Why there is no instance key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// What was given is not a key.
    #[error("{0} is not a key: 32 bytes in base64 or hexadecimal are wanted (`openssl rand -base64 32` makes one)")]
    Unreadable(String),
    /// The file could not be read or made.
    #[error("the instance key's file {}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// There is no folder where one could be made.
    #[error("there is no folder for the instance key; give {KEY_VARIABLE} or --secret-key-file. {0}")]
    Folder(String),
}

/// The instance's secret.
pub struct InstanceKey {
    now: [u8; 32],
    /// Those from before, the latest first.
    before: Vec<[u8; 32]>,
}

impl std::fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstanceKey")
    }
}

impl InstanceKey {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self {
            now: bytes,
            before: Vec::new(),
        }
    }

    /// Whether keys from before are there, too.
    pub const fn has_old(&self) -> bool {
        !self.before.is_empty()
    }

    /// The key of this instance: the variable's (`variable`), else the configured file's, else that of the data folder. A file that is
    /// not there is made, readable by its owner alone.
    pub fn load(variable: Option<&str>, options: &DataOptions, random: &Random) -> Result<Self, KeyError> {
        if let Some(text) = variable.filter(|text| !text.is_empty()) {
            return Self::parse(text).ok_or_else(|| KeyError::Unreadable(KEY_VARIABLE.to_owned()));
        }
        Self::load_file(&key_file(options)?, random)
    }

    /// The key of this instance, as [`InstanceKey::load`], where there is one: none is made.
    pub fn load_existing(variable: Option<&str>, options: &DataOptions, random: &Random) -> Result<Self, KeyError> {
        if variable.is_none_or(str::is_empty) {
            must_exist(&key_file(options)?)?;
        }
        Self::load(variable, options, random)
    }

    /// The key of a file, which is made where it is not there, readable by its owner alone.
    pub fn load_file(path: &Path, random: &Random) -> Result<Self, KeyError> {
        if !path.exists() {
            make(path, random).map_err(|error| KeyError::File {
                path: path.to_owned(),
                error,
            })?;
            tracing::info!(file = %path.display(), "made a key: keep a copy of it");
        }
        Self::read(path)
    }

    /// The keys derived for a purpose, of this one and of those from before, for what is made of 32 random bytes.
    pub fn seeds(&self, purpose: &str) -> Vec<[u8; 32]> {
        self.all().map(|key| derived(key, purpose)).collect()
    }

    /// Puts a new key before those in the instance's key file; gives the file.
    pub fn rotate(options: &DataOptions, random: &Random) -> Result<PathBuf, KeyError> {
        let path = key_file(options)?;
        Self::read(&path)?;
        let failed = |error| KeyError::File {
            path: path.clone(),
            error,
        };
        let known = fs::read_to_string(&path).map_err(failed)?;
        let text = format!("{}\n{}\n", BASE64.encode(&random.bytes::<32>()), known.trim());
        let (folder, draft) = draft(&path, &text, random).map_err(failed)?;
        fs::rename(&draft, &path)
            .and_then(|()| fs::File::open(folder)?.sync_all())
            .map_err(failed)?;
        Ok(path)
    }

    /// HMAC-SHA-256 of a message under the key derived for `purpose`.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        hmac(&derived(&self.now, purpose), &[message])
    }

    /// Whether a signature, or its beginning, is of this message, by the key or one from before.
    pub fn is_signed(&self, purpose: &str, message: &[u8], signature: &[u8]) -> bool {
        let length = signature.len();
        length >= SHORTEST
            && self.all().any(|key| {
                hmac(&derived(key, purpose), &[message])
                    .get(..length)
                    .is_some_and(|right| right.ct_eq(signature).into())
            })
    }

    fn all(&self) -> impl Iterator<Item = &[u8; 32]> {
        std::iter::once(&self.now).chain(&self.before)
    }

    /// Seals bytes (XChaCha20-Poly1305, random nonce first) under the key derived for `purpose`.
    #[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "see below: it cannot panic")]
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &Random) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        // The cipher refuses nothing but texts past 256 GB (RFC 8439, 2.8), which no memory here holds.
        let text = cipher(&self.now, purpose)
            .encrypt(XNonce::from_slice(&nonce), plain)
            .expect("a text under 256 GB");
        let mut sealed = nonce.to_vec();
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens what [`InstanceKey::seal`] made with the key or one from before; none where it was changed or sealed by another.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = XNonce::from_slice(nonce);
        self.all().find_map(|key| cipher(key, purpose).decrypt(nonce, text).ok())
    }

    /// What was sealed with a key from before, sealed with the one of now; none where it is already, or does not open.
    pub fn reseal(&self, purpose: &str, sealed: &[u8], random: &Random) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = XNonce::from_slice(nonce);
        if cipher(&self.now, purpose).decrypt(nonce, text).is_ok() {
            return None;
        }
        let plain = self
            .before
            .iter()
            .find_map(|key| cipher(key, purpose).decrypt(nonce, text).ok())?;
        Some(self.seal(purpose, &plain, random))
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path).map_err(|error| KeyError::File {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text).ok_or_else(|| KeyError::Unreadable(format!("the content of {}", path.display())))
    }

    /// The key, then those from before, one a line or divided by commas.
    fn parse(text: &str) -> Option<Self> {
        let words = text
            .split(|letter: char| letter == ',' || letter.is_whitespace())
            .filter(|word| !word.is_empty());
        let mut keys = words.map(parse_one).collect::<Option<Vec<_>>>()?.into_iter();
        Some(Self {
            now: keys.next()?,
            before: keys.collect(),
        })
    }
}

/// Says that a key's file is not there, where it is not.
pub fn must_exist(path: &Path) -> Result<(), KeyError> {
    fs::metadata(path).map(|_| ()).map_err(|error| KeyError::File {
        path: path.to_owned(),
        error,
    })
}

fn parse_one(text: &str) -> Option<[u8; 32]> {
    [HEXLOWER_PERMISSIVE, BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .iter()
        .filter_map(|encoding| encoding.decode(text.as_bytes()).ok())
        .find_map(|bytes| bytes.try_into().ok())
}

/// Where this instance's key lies.
fn key_file(options: &DataOptions) -> Result<PathBuf, KeyError> {
    match &options.secret_key_file {
        Some(path) => Ok(path.clone()),
        None => Ok(options.folder().map_err(KeyError::Folder)?.join(KEY_FILE)),
    }
}

fn cipher(key: &[u8; 32], purpose: &str) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&derived(key, purpose)).into())
}

/// One key a purpose, as HKDF's expansion makes its first block (RFC 5869, 2.3); the instance key is already uniform, so nothing is extracted.
fn derived(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    hmac(key, &[b"audit-log ", purpose.as_bytes(), &[1]])
}

#[allow(clippy::expect_used, reason = "HMAC takes keys of any length (RFC 2104, 2)")]
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Makes a key file that is there whole or not at all; where another process was first, its key stays.
fn make(path: &Path, random: &Random) -> io::Result<()> {
    let (folder, draft) = draft(path, &format!("{}\n", BASE64.encode(&random.bytes::<32>())), random)?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // Without this the name may be gone after a power cut, and with it everything that was sealed since.
        Ok(()) => fs::File::open(folder)?.sync_all(),
    }
}

/// Writes a text to a file of its own beside `path`, readable by its owner alone; gives the folder and the file.
fn draft<'a>(path: &'a Path, text: &str, random: &Random) -> io::Result<(&'a Path, PathBuf)> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    fs::create_dir_all(folder)?;
    let draft = folder.join(format!(".{KEY_FILE}.{}", HEXLOWER_PERMISSIVE.encode(&random.bytes::<8>())));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    if let Err(error) = file.write_all(text.as_bytes()).and_then(|()| file.sync_all()) {
        fs::remove_file(&draft)?;
        return Err(error);
    }
    Ok((folder, draft))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::config::DatabaseOption;

    const KEY: InstanceKey = InstanceKey::new([7; 32]);

    fn options(folder: &Path) -> DataOptions {
        DataOptions {
            database: DatabaseOption {
                database_url: format!("sqlite://{}/a.db", folder.display()),
            },
            ..DataOptions::default()
        }
    }

    #[test]
    fn what_is_sealed_opens_again_and_only_so() {
        let random = Random::seeded(1);
        let sealed = KEY.seal("webhook", b"whsec_1", &random);
        assert_eq!(KEY.open("webhook", &sealed).as_deref(), Some(&b"whsec_1"[..]));
        assert_eq!(KEY.open("totp", &sealed), None);
        assert_eq!(InstanceKey::new([8; 32]).open("webhook", &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(KEY.open("webhook", &changed), None, "byte {place}");
        }
        assert_eq!(KEY.open("webhook", &sealed[..20]), None);
        assert_ne!(KEY.seal("webhook", b"whsec_1", &random), sealed);
    }

    #[test]
    fn a_key_from_before_opens_and_vouches_and_makes_nothing() {
        let random = Random::seeded(1);
        let (old, new) = ([7; 32], [8; 32]);
        let text = format!("{}\n{}\n", BASE64.encode(&new), HEXLOWER_PERMISSIVE.encode(&old));
        let ring = InstanceKey::parse(&text).unwrap();
        assert!(ring.has_old() && !KEY.has_old());
        let sealed = KEY.seal("webhook", b"whsec_1", &random);
        assert_eq!(ring.open("webhook", &sealed).unwrap(), b"whsec_1");
        let again = ring.reseal("webhook", &sealed, &random).unwrap();
        assert_eq!(InstanceKey::new(new).open("webhook", &again).unwrap(), b"whsec_1");
        assert_eq!(ring.reseal("webhook", &again, &random), None, "it is already");
        assert_eq!(ring.reseal("link", &sealed, &random), None, "it does not open");
        assert!(ring.is_signed("link", b"a", &KEY.sign("link", b"a")));
        assert!(ring.is_signed("link", b"a", &KEY.sign("link", b"a")[..16]));
        assert!(!ring.is_signed("link", b"b", &KEY.sign("link", b"a")));
        assert!(
            !ring.is_signed("link", b"a", &KEY.sign("link", b"a")[..15]),
            "too short to be one"
        );
        assert!(!ring.is_signed("link", b"a", &[0; 33]));
        assert_eq!(ring.sign("link", b"a"), InstanceKey::new(new).sign("link", b"a"));
        assert!(InstanceKey::parse("").is_none() && InstanceKey::parse(&format!("{text}nonsense")).is_none());
    }

    #[test]
    fn a_rotated_file_holds_both_keys() {
        let folder = tempfile::tempdir().unwrap();
        let (random, options) = (Random::seeded(1), options(folder.path()));
        let first = InstanceKey::load(None, &options, &random).unwrap();
        let sealed = first.seal("webhook", b"a", &random);
        let path = InstanceKey::rotate(&options, &random).unwrap();
        let both = InstanceKey::load(None, &options, &random).unwrap();
        assert!(both.has_old() && both.now != first.now);
        assert_eq!(both.open("webhook", &sealed).unwrap(), b"a");
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions()) & 0o777,
            0o600
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn signatures_differ_by_purpose_key_and_message() {
        let signature = KEY.sign("cursor", b"a");
        assert_eq!(KEY.sign("cursor", b"a"), signature);
        assert_ne!(KEY.sign("link", b"a"), signature);
        assert_ne!(KEY.sign("cursor", b"b"), signature);
        assert_ne!(InstanceKey::new([8; 32]).sign("cursor", b"a"), signature);
    }

    #[test]
    fn a_key_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(&folder.path().join("not/there/yet"));
        let first = InstanceKey::load(None, &options, &Random::system()).unwrap();
        let second = InstanceKey::load(Some(""), &options, &Random::system()).unwrap();
        assert_eq!(first.now, second.now);
        let files: Vec<_> = fs::read_dir(options.folder().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(files, [KEY_FILE]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(options.folder().unwrap().join(KEY_FILE))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn the_file_that_was_named_is_made_where_it_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys/own.key");
        let options = DataOptions {
            secret_key_file: Some(file.clone()),
            ..options(folder.path())
        };
        let first = InstanceKey::load(None, &options, &Random::system()).unwrap();
        assert_eq!(InstanceKey::load(None, &options, &Random::system()).unwrap().now, first.now);
        assert!(file.exists() && !folder.path().join(KEY_FILE).exists());
    }

    #[test]
    fn many_that_start_at_once_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| InstanceKey::load(None, &options, &Random::system()).unwrap().now))
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|key| *key == keys[0]));
    }

    #[test]
    fn the_variable_wins_over_the_file_and_both_over_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        let file = folder.path().join("given.key");
        fs::write(&file, format!("{}\n", HEXLOWER_PERMISSIVE.encode(&[2; 32]))).unwrap();
        options.secret_key_file = Some(file);
        assert_eq!(InstanceKey::load(None, &options, &Random::system()).unwrap().now, [2; 32]);
        let variable = BASE64.encode(&[3; 32]);
        assert_eq!(
            InstanceKey::load(Some(&variable), &options, &Random::system()).unwrap().now,
            [3; 32]
        );
        assert!(!folder.path().join(KEY_FILE).exists());
    }

    #[test]
    fn what_is_no_key_is_refused_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        for bad in ["secret", "AAAA", &"a".repeat(63), &"z".repeat(64)] {
            let error = InstanceKey::load(Some(bad), &options, &Random::system())
                .unwrap_err()
                .to_string();
            assert!(error.contains("32 bytes"), "{error}");
            assert!(!error.contains(bad), "the secret itself is not shown");
        }
        options.secret_key_file = Some(folder.path().to_owned());
        let error = InstanceKey::load(None, &options, &Random::system()).unwrap_err().to_string();
        assert!(
            error.contains(&folder.path().display().to_string()),
            "a folder is no file: {error}"
        );
    }
}

//! The instance key: one secret of 32 bytes, from which every other is derived. Signs cursors and links, seals what must not lie open.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::clock::Random;
use super::config::DataOptions;

/// The variable that holds the key itself.
pub const KEY_VARIABLE: &str = "AUDIT_LOG_SECRET_KEY";
/// The file in the data folder where a key is made.
const KEY_FILE: &str = "secret.key";
/// Bytes of a nonce of XChaCha20-Poly1305: long enough to be drawn at random.
const NONCE_LEN: usize = 24;

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
pub struct InstanceKey([u8; 32]);

impl std::fmt::Debug for InstanceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InstanceKey")
    }
}

impl InstanceKey {
    /// A key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key of this instance: the variable's (`variable`), else the configured file's, else that of the data folder. A file that is
    /// not there is made, readable by its owner alone.
    pub fn load(variable: Option<&str>, options: &DataOptions, random: &Random) -> Result<Self, KeyError> {
        if let Some(text) = variable.filter(|text| !text.is_empty()) {
            return Self::parse(text).ok_or_else(|| KeyError::Unreadable(KEY_VARIABLE.to_owned()));
        }
        let path = match &options.secret_key_file {
            Some(path) => path.clone(),
            None => options.folder().map_err(KeyError::Folder)?.join(KEY_FILE),
        };
        if !path.exists() {
            make(&path, random).map_err(|error| KeyError::File {
                path: path.clone(),
                error,
            })?;
            tracing::info!(file = %path.display(), "made an instance key: keep a copy of it");
        }
        Self::read(&path)
    }

    /// HMAC-SHA-256 of a message under the key derived for `purpose`.
    pub fn sign(&self, purpose: &str, message: &[u8]) -> [u8; 32] {
        hmac(&self.derived(purpose), &[message])
    }

    /// Seals bytes (XChaCha20-Poly1305, random nonce first) under the key derived for `purpose`.
    #[allow(clippy::expect_used, clippy::missing_panics_doc, reason = "see below: it cannot panic")]
    pub fn seal(&self, purpose: &str, plain: &[u8], random: &Random) -> Vec<u8> {
        let nonce: [u8; NONCE_LEN] = random.bytes();
        // The cipher refuses nothing but texts past 256 GB (RFC 8439, 2.8), which no memory here holds.
        let text = self
            .cipher(purpose)
            .encrypt(XNonce::from_slice(&nonce), plain)
            .expect("a text under 256 GB");
        let mut sealed = nonce.to_vec();
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens what [`InstanceKey::seal`] made; none where it was changed or sealed by another key.
    pub fn open(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE_LEN)?;
        self.cipher(purpose).decrypt(XNonce::from_slice(nonce), text).ok()
    }

    fn cipher(&self, purpose: &str) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&self.derived(purpose)).into())
    }

    /// One key a purpose, as HKDF's expansion makes its first block (RFC 5869, 2.3); the instance key is already uniform, so nothing is extracted.
    fn derived(&self, purpose: &str) -> [u8; 32] {
        hmac(&self.0, &[b"audit-log ", purpose.as_bytes(), &[1]])
    }

    fn read(path: &Path) -> Result<Self, KeyError> {
        let text = fs::read_to_string(path).map_err(|error| KeyError::File {
            path: path.to_owned(),
            error,
        })?;
        Self::parse(&text).ok_or_else(|| KeyError::Unreadable(format!("the content of {}", path.display())))
    }

    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().as_bytes();
        [HEXLOWER_PERMISSIVE, BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
            .iter()
            .filter_map(|encoding| encoding.decode(text).ok())
            .find_map(|bytes| Some(Self(bytes.try_into().ok()?)))
    }
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
    let written = writeln!(file, "{}", BASE64.encode(&random.bytes::<32>())).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        // Without this the name may be gone after a power cut, and with it everything that was sealed since.
        Ok(()) => fs::File::open(folder)?.sync_all(),
    }
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
        assert_eq!(first.0, second.0);
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
        assert_eq!(InstanceKey::load(None, &options, &Random::system()).unwrap().0, first.0);
        assert!(file.exists() && !folder.path().join(KEY_FILE).exists());
    }

    #[test]
    fn many_that_start_at_once_get_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let options = options(folder.path());
        let keys: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| InstanceKey::load(None, &options, &Random::system()).unwrap().0))
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
        assert_eq!(InstanceKey::load(None, &options, &Random::system()).unwrap().0, [2; 32]);
        let variable = BASE64.encode(&[3; 32]);
        assert_eq!(
            InstanceKey::load(Some(&variable), &options, &Random::system()).unwrap().0,
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

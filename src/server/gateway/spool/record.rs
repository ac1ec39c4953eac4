//! A record, and many of them as bytes.

/// What was recorded of one exchange: an entry of `POST /v1/logs`, and the file that it uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The entry's JSON; it has an id, so that a repeat is harmless.
    pub(crate) entry: String,
    /// The file.
    pub(crate) file: Option<File>,
}

/// A file that was uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Its name, at most 255 bytes.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) bytes: Vec<u8>,
}

impl Record {
    /// Bytes that it takes, about.
    pub(crate) fn weight(&self) -> usize {
        self.entry.len() + self.file.as_ref().map_or(0, |file| file.bytes.len())
    }
}

/// Records as bytes: each text with its length (32 bits, little endian) before it: the entry, the file's name (empty where there is no file), the file.
pub(crate) fn encode(records: &[Record]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.iter().map(|record| record.weight() + 12).sum());
    for record in records {
        push(&mut bytes, record.entry.as_bytes());
        push(&mut bytes, record.file.as_ref().map_or(&[], |file| file.name.as_bytes()));
        push(&mut bytes, record.file.as_ref().map_or(&[], |file| &file.bytes));
    }
    bytes
}

fn push(bytes: &mut Vec<u8>, text: &[u8]) {
    bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
    bytes.extend_from_slice(text);
}

/// Reads records back; none where these bytes are not what [`encode`] made.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let (entry, name, content) = (take(&mut bytes)?, take(&mut bytes)?, take(&mut bytes)?);
        let name = String::from_utf8(name.to_vec()).ok()?;
        records.push(Record {
            entry: String::from_utf8(entry.to_vec()).ok()?,
            file: (!name.is_empty()).then(|| File {
                name,
                bytes: content.to_vec(),
            }),
        });
    }
    Some(records)
}

fn take<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (text, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *bytes = rest;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_come_back_as_they_were_and_harmed_ones_do_not() {
        let records = vec![
            Record {
                entry: r#"{"id":"a"}"#.into(),
                file: None,
            },
            Record {
                entry: "{}".into(),
                file: Some(File {
                    name: "people.csv".into(),
                    bytes: vec![0, 255, 10],
                }),
            },
        ];
        let bytes = encode(&records);
        assert_eq!(decode(&bytes), Some(records));
        assert_eq!(decode(&[]), Some(Vec::new()));
        for cut in 1..bytes.len() {
            let some = decode(&bytes[..cut]);
            assert!(some.is_none_or(|some| some.len() == 1), "cut at {cut}");
        }
        assert_eq!(decode(&[255; 40]), None);
    }
}

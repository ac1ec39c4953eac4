//! Parquet: one flat table of optional columns, texts and whole numbers; pages PLAIN and zstd, so that small readers manage it.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::EncodeError;
use super::cells::{Cell, text_of};
use super::plan::Plan;

/// Rows of a row group, and bytes of texts: what is in memory at once.
const GROUP_ROWS: usize = 20_000;
const GROUP_BYTES: usize = 16 << 20;

/// What the writer writes into, emptied after each row group.
#[derive(Clone, Debug, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn empty_into(&self, out: &mut Vec<u8>) {
        // A panic elsewhere leaves bytes that are as good as they were.
        out.append(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A column's values of the row group at hand, and for each row whether there is one.
#[derive(Debug)]
enum Column {
    Texts(Vec<ByteArray>, Vec<i16>),
    Numbers(Vec<i64>, Vec<i16>),
}

/// Writes row groups.
pub struct ParquetEncoder {
    writer: SerializedFileWriter<Sink>,
    sink: Sink,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

impl std::fmt::Debug for ParquetEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParquetEncoder({} columns)", self.columns.len())
    }
}

impl From<ParquetError> for EncodeError {
    fn from(error: ParquetError) -> Self {
        Self(error.to_string())
    }
}

impl ParquetEncoder {
    pub(super) fn begin(plan: &Plan) -> Result<Self, EncodeError> {
        let fields = plan.fields.iter().map(|field| Ok(Arc::new(column_type(field)?)));
        let schema = Type::group_type_builder("records")
            .with_fields(fields.collect::<Result<Vec<_>, ParquetError>>()?)
            .build()?;
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_dictionary_enabled(false)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            .set_created_by("audit-log".to_owned())
            .build();
        let sink = Sink::default();
        Ok(Self {
            writer: SerializedFileWriter::new(sink.clone(), Arc::new(schema), Arc::new(properties))?,
            sink,
            columns: plan.fields.iter().map(|field| empty(field)).collect(),
            rows: 0,
            bytes: 0,
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell<'_>], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            match column {
                Column::Texts(texts, there) => {
                    let text = text_of(cell);
                    there.push(i16::from(text.is_some()));
                    if let Some(text) = text {
                        self.bytes += text.len();
                        texts.push(ByteArray::from(text.into_owned()));
                    }
                }
                Column::Numbers(numbers, there) => {
                    let number = match cell {
                        Cell::Number(number) => Some(*number),
                        // Whole milliseconds: a column is of one kind.
                        Cell::Millis(micros) => Some((*micros + 500) / 1_000),
                        _ => None,
                    };
                    there.push(i16::from(number.is_some()));
                    numbers.extend(number);
                }
            }
        }
        self.rows += 1;
        if self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.write_group()?;
        }
        self.sink.empty_into(out);
        Ok(())
    }

    pub(super) fn end(mut self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.writer.close()?;
        self.sink.empty_into(out);
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), EncodeError> {
        let mut group = self.writer.next_row_group()?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column()? else { break };
            match (writer.untyped(), column) {
                (ColumnWriter::ByteArrayColumnWriter(writer), Column::Texts(texts, there)) => {
                    writer.write_batch(texts, Some(there), None)?;
                    texts.clear();
                    there.clear();
                }
                (ColumnWriter::Int64ColumnWriter(writer), Column::Numbers(numbers, there)) => {
                    writer.write_batch(numbers, Some(there), None)?;
                    numbers.clear();
                    there.clear();
                }
                _ => return Err(EncodeError("a column is of another type than its values".to_owned())),
            }
            writer.close()?;
        }
        group.close()?;
        (self.rows, self.bytes) = (0, 0);
        Ok(())
    }
}

fn is_number(field: &str) -> bool {
    matches!(
        field,
        "status_code" | "request_duration" | "processing_time" | "progress" | "rows" | "bytes"
    )
}

fn empty(field: &str) -> Column {
    if is_number(field) {
        Column::Numbers(Vec::new(), Vec::new())
    } else {
        Column::Texts(Vec::new(), Vec::new())
    }
}

fn column_type(field: &str) -> Result<Type, ParquetError> {
    let (physical, converted) = if is_number(field) {
        (Physical::INT64, ConvertedType::NONE)
    } else {
        (Physical::BYTE_ARRAY, ConvertedType::UTF8)
    };
    Type::primitive_type_builder(field, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_converted_type(converted)
        .build()
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    #[test]
    fn what_was_written_is_read_back() {
        let plan = Plan::of_fields(&["id", "status_code", "request_body"]);
        let mut encoder = ParquetEncoder::begin(&plan).unwrap();
        let mut out = Vec::new();
        for row in 0..GROUP_ROWS + 5 {
            let id = format!("log_{row}");
            let code = if row % 3 == 0 { Cell::None } else { Cell::Number(200) };
            encoder
                .row(
                    &[Cell::Text(Cow::Owned(id)), code, Cell::Json(Cow::Borrowed(b"{\"a\":1}"))],
                    &mut out,
                )
                .unwrap();
        }
        encoder.end(&mut out).unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(out)).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows.len(), GROUP_ROWS + 5);
        let said = |row: usize| {
            rows[row]
                .get_column_iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(said(4), [r#"id="log_4""#, "status_code=200", r#"request_body="{"a":1}""#]);
        assert_eq!(said(3)[1], "status_code=null");
    }
}

//! Why a dataset cannot be read: each names the file, what was found and the way out.

use std::path::PathBuf;

use arrow_schema::DataType;

use crate::replay::dataset::format::Format;

/// Why a dataset cannot be opened or read on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DatasetError {
    /// A line of JSON that is not a record of this dataset.
    #[error("`{}` line {line}: {reason}; fix it, or pass on_bad_line='skip'", file.display())]
    BadLine {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong and where.
        reason: String,
    },
    /// A pattern that cannot be matched with anything.
    #[error("`{pattern}` is not a pattern: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// Why it is none.
        reason: String,
    },
    /// A value that is not of the type that the first rows of its column have.
    #[error(
        "`{}` line {line}, column `{column}`: `{value}` is not {expected}, as the values before it are; fix it or leave the column out",
        file.display()
    )]
    BadValue {
        /// The file.
        file: PathBuf,
        /// The line, from 1, when no quoted value spans lines.
        line: u64,
        /// The column.
        column: String,
        /// The value, or its beginning.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// Bytes that are not text, in a file that should be text.
    #[error("`{}` holds {found}, not {}: check how it was written", file.display(), expected.name())]
    Binary {
        /// The file.
        file: PathBuf,
        /// What its bytes are.
        found: String,
        /// What it should hold.
        expected: Format,
    },
    /// A compressed file.
    #[error("`{}` is compressed with {compression}: decompress it first, or write it as Parquet", file.display())]
    Compressed {
        /// The file.
        file: PathBuf,
        /// The compression.
        compression: &'static str,
    },
    /// A directory where a file should be.
    #[error("`{}` is a directory: pass a pattern of its files, such as `{}/*.parquet`", path.display(), path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// Two columns of one name.
    #[error("`{}` has two columns named `{column}`: rename one", file.display())]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// The name.
        column: String,
    },
    /// A file of no bytes.
    #[error("`{}` is empty (0 bytes): it is not even a header; write it again or leave it out", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// One JSON array in place of an object per line.
    #[error("`{}` holds one JSON array, not one object per line: write a line per object (`jq -c '.[]'`)", file.display())]
    JsonArray {
        /// The file.
        file: PathBuf,
    },
    /// A line that is longer than any record.
    #[error("`{}` line {line} is longer than {limit} bytes: one object per line is expected", file.display())]
    LineTooLong {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The most bytes of a line.
        limit: u64,
    },
    /// A column that one file has and another has not.
    #[error(
        "`{}` has no column `{column}`, which `{}` has: pass the columns that all files share",
        file.display(),
        other.display()
    )]
    MissingColumn {
        /// The file without the column.
        file: PathBuf,
        /// The column.
        column: String,
        /// A file with the column.
        other: PathBuf,
    },
    /// No file where a plain path says there is one.
    #[error("`{path}` does not exist (looked at `{}`)", absolute.display())]
    NotFound {
        /// The path as it was given.
        path: String,
        /// The path that was tried.
        absolute: PathBuf,
    },
    /// A pattern that no file matches.
    #[error("no file matches `{pattern}` (looked from `{}`)", directory.display())]
    NothingMatches {
        /// The pattern.
        pattern: String,
        /// The directory that it is relative to.
        directory: PathBuf,
    },
    /// Something that is neither a file nor a directory.
    #[error("`{}` is not a regular file, and a dataset is read more than once: write it to a file first", file.display())]
    NotRegular {
        /// The path.
        file: PathBuf,
    },
    /// The system refused to read a file.
    #[error("`{}` cannot be read: {reason}", file.display())]
    System {
        /// The file.
        file: PathBuf,
        /// The kind of refusal.
        kind: std::io::ErrorKind,
        /// The system's own words.
        reason: String,
    },
    /// A file that ends before its format says so.
    #[error("`{}` begins like {} but has no end: it is truncated; copy or write it again", file.display(), format.name())]
    Truncated {
        /// The file.
        file: PathBuf,
        /// The format it begins like.
        format: Format,
    },
    /// Two files that disagree on a column's type.
    #[error(
        "column `{column}` is {expected} in `{}` but {found} in `{}`: cast one of them, or pass other columns",
        other.display(),
        file.display()
    )]
    TypeMismatch {
        /// The later file.
        file: PathBuf,
        /// The column.
        column: String,
        /// Its type there.
        found: DataType,
        /// An earlier file.
        other: PathBuf,
        /// Its type in the earlier files.
        expected: DataType,
    },
    /// A column that was asked for and is not there.
    #[error("`{}` has no column `{column}`: it has {}", file.display(), listed(available))]
    UnknownColumn {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// The columns that are there.
        available: Vec<String>,
    },
    /// A name that does not say what the file holds.
    #[error(
        "`{}`: {} says no format; pass format='parquet', 'csv', 'ndjson' or 'arrow'",
        file.display(),
        extension.as_ref().map_or("a name without an extension".to_owned(), |name| format!("extension `.{name}`"))
    )]
    UnknownExtension {
        /// The file.
        file: PathBuf,
        /// Its extension.
        extension: Option<String>,
    },
    /// A field that appears after the columns were settled.
    #[error(
        "`{}` line {line} has field `{field}`, which the first {sampled} lines do not: pass columns=[...] to say what you want",
        file.display()
    )]
    UnknownField {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The field.
        field: String,
        /// How many lines settled the columns.
        sampled: usize,
    },
    /// Content that its own format's reader refuses.
    #[error("`{}` {position}: {reason}; it is damaged, or needs a feature that is not read here", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// How far reading came.
        position: String,
        /// The reader's own words.
        reason: String,
    },
    /// Content of another format than the name or the caller says.
    #[error(
        "`{}` holds {} data, not {}: rename it or pass format='{}'",
        file.display(),
        found.name(),
        expected.name(),
        found.keyword()
    )]
    WrongFormat {
        /// The file.
        file: PathBuf,
        /// What it holds.
        found: Format,
        /// What it was taken for.
        expected: Format,
    },
}

fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 30;
    let quoted: Vec<_> = names.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "no columns".to_owned(),
        count if NAMES_MAX < count => {
            format!("{} and {} more", quoted.join(", "), count - NAMES_MAX)
        }
        _ => quoted.join(", "),
    }
}

//! Files of every format, good and broken, read as datasets.

use std::fs;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;

use ::parquet::arrow::ArrowWriter;
use ::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use ::parquet::arrow::arrow_reader::ArrowReaderOptions;
use ::parquet::file::properties::WriterProperties;
use arrow_array::Array;
use arrow_array::ArrayRef;
use arrow_array::Float64Array;
use arrow_array::Int32Array;
use arrow_array::Int64Array;
use arrow_array::StringArray;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int64Type;
use arrow_array::types::TimestampMicrosecondType;
use arrow_ipc::writer::FileWriter;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::DataType;
use arrow_schema::TimeUnit;

use super::*;

const FLIGHTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/notebooks/data/flights.parquet");

/// A directory of its own for one test, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("shardstream-dataset-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn parquet(&self, name: &str, batch: &RecordBatch, row_group_rows: usize) -> String {
        let properties =
            WriterProperties::builder().set_max_row_group_row_count(Some(row_group_rows)).build();
        let file = File::create(self.path(name)).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        self.path(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns).unwrap()
}

fn numbers(count: i64) -> RecordBatch {
    let text = StringArray::from_iter_values((0..count).map(|number| format!("row {number}")));
    batch(vec![
        ("number", Arc::new(Int64Array::from_iter_values(0..count))),
        ("text", Arc::new(text)),
    ])
}

fn open(pattern: &str) -> Result<Dataset, DatasetError> {
    Dataset::open(pattern, DatasetOptions::default())
}

fn read(pattern: &str) -> Result<Vec<RecordBatch>, DatasetError> {
    open(pattern)?.collect()
}

fn read_one(pattern: &str) -> RecordBatch {
    let dataset = open(pattern).unwrap();
    let schema = dataset.schema();
    let batches: Vec<_> = dataset.map(Result::unwrap).collect();
    arrow_select::concat::concat_batches(&schema, &batches).unwrap()
}

fn columns(names: &[&str]) -> DatasetOptions {
    let columns = Some(names.iter().map(|name| (*name).to_owned()).collect());
    DatasetOptions { columns, ..DatasetOptions::default() }
}

fn type_of(dataset: &Dataset, column: &str) -> DataType {
    dataset.schema().field_with_name(column).unwrap().data_type().clone()
}

#[test]
fn the_flights_are_all_there_in_bounded_batches() {
    let dataset = open(FLIGHTS).unwrap();
    assert_eq!(dataset.rows_hint(), Some(336_776));
    assert_eq!(dataset.schema().fields().len(), 10);
    let batches: Vec<_> = dataset.map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 336_776);
    assert!(batches.iter().all(|batch| batch.num_rows() <= 65_536));
}

#[test]
fn runs_side_by_side_are_the_rows_of_all_files_once_and_in_order() {
    let folder = Folder::new();
    let rows = numbers(1_000);
    folder.parquet("a.parquet", &rows.slice(0, 700), 90);
    folder.parquet("b.parquet", &rows.slice(700, 10), 90);
    folder.parquet("c.parquet", &rows.slice(710, 290), 90);
    for most in [1, 2, 3, 50] {
        let dataset = open(&folder.path("*.parquet")).unwrap();
        let schema = dataset.schema();
        let runs = dataset.in_runs(Threads::new(Some(most)).unwrap());
        assert_eq!(runs.len(), most.min(13));
        let mut batches = Vec::new();
        for (first_row, run) in runs {
            let before: usize = batches.iter().map(RecordBatch::num_rows).sum();
            assert_eq!(first_row, before as u64);
            batches.extend(run.map(Result::unwrap));
        }
        assert_eq!(arrow_select::concat::concat_batches(&schema, &batches).unwrap(), rows);
    }
    folder.write("d.csv", "number,text\n1000,row 1000\n");
    let [a, d] = ["a.parquet", "d.csv"].map(|name| folder.path(name));
    let mixed = Dataset::open_many(&[a, d], DatasetOptions::default()).unwrap();
    assert_eq!(mixed.in_runs(Threads::new(Some(4)).unwrap()).len(), 1);
}

#[test]
fn picked_columns_come_in_the_order_they_were_asked_for() {
    let folder = Folder::new();
    let rows = numbers(3);
    let parquet = folder.parquet("a.parquet", &rows, 100);
    let csv = folder.write("a.csv", "number,text\n0,row 0\n1,row 1\n2,row 2\n");
    let lines = folder.write("a.ndjson", "{\"number\":0,\"text\":\"row 0\",\"more\":1}\n{\"text\":\"row 1\",\"number\":1}\n\n{\"text\":\"row 2\",\"number\":2,\"late\":1}");
    let expected = rows.project(&[1, 0]).unwrap();
    for path in [parquet, csv, lines] {
        let mut dataset = Dataset::open(&path, columns(&["text", "number"])).unwrap();
        assert_eq!(dataset.next().unwrap().unwrap(), expected, "{path}");
        assert!(dataset.next().is_none());
    }
}

#[test]
fn an_unknown_column_lists_those_that_are_there() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &numbers(1), 10);
    let error = Dataset::open(&path, columns(&["nummer"])).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("`{path}` has no column `nummer`: it has `number`, `text`")
    );
}

#[test]
fn ipc_files_and_streams_are_told_apart_by_their_content() {
    let folder = Folder::new();
    let rows = numbers(10);
    let path = folder.path("file.arrow");
    let mut writer = FileWriter::try_new(File::create(&path).unwrap(), &rows.schema()).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    assert_eq!(read_one(&path), rows);
    let path = folder.path("stream.arrow");
    let mut writer = StreamWriter::try_new(File::create(&path).unwrap(), &rows.schema()).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    assert_eq!(read_one(&path), rows);
    let options = DatasetOptions { batch_rows: 4, ..columns(&["text"]) };
    let sizes: Vec<_> =
        Dataset::open(&path, options).unwrap().map(|batch| batch.unwrap().num_rows()).collect();
    assert_eq!(sizes, [4, 4, 2]);
}

#[test]
fn csv_types_come_from_the_first_rows() {
    let folder = Folder::new();
    let path = folder.write(
        "a.csv",
        "\u{feff}i,f,b,s,empty,day\n1,1.5,true,\"a, b\",,2026-01-01\n,2,false,c,,2026-01-02\n",
    );
    let rows = read_one(&path);
    let types: Vec<_> =
        rows.schema().fields().iter().map(|field| field.data_type().clone()).collect();
    assert_eq!(
        types,
        [
            DataType::Int64,
            DataType::Float64,
            DataType::Boolean,
            DataType::Utf8,
            DataType::Utf8,
            DataType::Date32
        ]
    );
    assert_eq!(rows.schema().field(0).name(), "i");
    assert_eq!(rows.column(3).as_string::<i32>().value(0), "a, b");
    assert!(rows.column(0).is_null(1));
}

#[test]
fn csv_times_with_an_offset_are_utc_and_others_are_naive() {
    let folder = Folder::new();
    let path = folder.write(
        "a.csv",
        "zoned,naive,mixed,odd\n\
         1970-01-01T02:00:00.5+02:00,1970-01-01 00:00:01,1970-01-01T00:00:00Z,2026-01-01T00:00:00 noon\n\
         1970-01-01T00:00:01Z,1970-01-01T00:00:02.000001,1970-01-01T00:00:00,2026-01-01T00:00:00\n",
    );
    let dataset = open(&path).unwrap();
    let micros =
        |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    assert_eq!(type_of(&dataset, "zoned"), micros(Some("UTC")));
    assert_eq!(type_of(&dataset, "naive"), micros(None));
    assert_eq!(type_of(&dataset, "mixed"), DataType::Utf8);
    assert_eq!(type_of(&dataset, "odd"), DataType::Utf8);
    let rows = read_one(&path);
    let ticks = |column: usize| rows.column(column).as_primitive::<TimestampMicrosecondType>();
    assert_eq!(ticks(0).values(), &[500_000, 1_000_000]);
    assert_eq!(ticks(1).values(), &[1_000_000, 2_000_001]);
}

#[test]
fn a_late_csv_value_of_another_type_names_line_column_and_value() {
    let folder = Folder::new();
    let rows = (0..SAMPLE_ROWS).map(|number| format!("{number},2026-01-01T00:00:00Z\n"));
    let text = "id,at\n".to_owned() + &rows.collect::<String>();
    let path = folder.write("number.csv", text.clone() + "oops,2026-01-01T00:00:00Z\n");
    let error = read(&path).unwrap_err();
    let DatasetError::BadValue { line, column, value, .. } = error else { panic!("{error}") };
    assert_eq!((line, column.as_str(), value.as_str()), (10_002, "id", "oops"));
    for late in ["soon", "2026-01-01T00:00:00"] {
        let path = folder.write("time.csv", format!("{text}1,{late}\n"));
        let error = read(&path).unwrap_err();
        let DatasetError::BadValue { line, column, value, .. } = error else { panic!("{error}") };
        assert_eq!((line, column.as_str(), value.as_str()), (10_002, "at", late));
    }
}

#[test]
fn a_csv_row_with_other_fields_than_the_header_is_an_error() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a,b\n1,2\n3\n");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("a.csv") && error.contains("line 3"), "{error}");
}

#[test]
fn a_header_alone_is_no_rows() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a,b\n");
    assert_eq!(open(&path).unwrap().schema().fields().len(), 2);
    assert_eq!(read(&path).unwrap().len(), 0);
}

#[test]
fn parquet_without_rows_keeps_its_columns() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &numbers(0), 10);
    let dataset = open(&path).unwrap();
    assert_eq!(dataset.rows_hint(), Some(0));
    assert_eq!(dataset.schema().fields().len(), 2);
    assert_eq!(dataset.count(), 0);
}

#[test]
fn tabs_separate_the_values_of_a_tsv() {
    let folder = Folder::new();
    let path = folder.write("a.tsv", "a\tb\n1\tx,y\n");
    assert_eq!(read_one(&path).column(1).as_string::<i32>().value(0), "x,y");
}

#[test]
fn json_lines_take_their_columns_from_all_first_lines() {
    let folder = Folder::new();
    let path = folder.write("a.jsonl", "\u{feff}{\"a\":1}\r\n\n{\"a\":2.5,\"b\":\"x\"}\r\n{}");
    let rows = read_one(&path);
    let a = rows.column(0).as_primitive::<Float64Type>();
    assert_eq!(a.iter().collect::<Vec<_>>(), [Some(1.0), Some(2.5), None]);
    assert_eq!(rows.column(1).null_count(), 2);
}

#[test]
fn a_bad_line_of_json_is_raised_or_counted() {
    let folder = Folder::new();
    let path = folder.write("a.ndjson", "{\"a\":1}\n\n{\"a\":\n{\"a\":3}\n");
    let error = read(&path).unwrap_err();
    let DatasetError::BadLine { line, reason, .. } = error else { panic!("{error}") };
    assert_eq!((line, reason.as_str()), (3, "JSON that ends early, at byte 5"));
    let options = DatasetOptions { on_bad_line: OnBadLine::Skip, ..DatasetOptions::default() };
    let mut dataset = Dataset::open(&path, options).unwrap();
    assert_eq!(dataset.next().unwrap().unwrap().num_rows(), 2);
    assert!(dataset.next().is_none());
    assert_eq!(dataset.skipped(), 1);
}

#[test]
fn a_late_json_value_or_field_names_its_line() {
    let folder = Folder::new();
    let sampled = "{\"a\":1}\n".repeat(SAMPLE_ROWS);
    let path = folder.write("value.ndjson", format!("{sampled}{{\"a\":\"x\"}}\n"));
    let error = read(&path).unwrap_err();
    let DatasetError::BadLine { line, reason, .. } = error else { panic!("{error}") };
    assert_eq!((line, reason.as_str()), (10_001, "`a`: \"x\" is not an int64"));
    let path = folder.write("field.ndjson", format!("{sampled}{{\"a\":1,\"b\":2}}\n"));
    let error = read(&path).unwrap_err();
    let DatasetError::UnknownField { line, field, .. } = error else { panic!("{error}") };
    assert_eq!((line, field.as_str()), (10_001, "b"));
}

#[test]
fn a_field_that_is_null_at_first_may_become_text_later() {
    let folder = Folder::new();
    let sampled = "{\"a\":null}\n".repeat(SAMPLE_ROWS);
    let path = folder.write("a.ndjson", format!("{sampled}{{\"a\":\"x\"}}\n"));
    let rows = read_one(&path);
    assert_eq!(rows.column(0).as_string::<i32>().value(SAMPLE_ROWS), "x");
    let path = folder.write("a.csv", format!("a,b\n{}x,1\n", ",1\n".repeat(SAMPLE_ROWS)));
    assert_eq!(read_one(&path).column(0).as_string::<i32>().value(SAMPLE_ROWS), "x");
}

#[test]
fn patterns_read_their_files_in_sorted_order() {
    let folder = Folder::new();
    folder.write("b.csv", "a\n2\n");
    folder.write("a.csv", "a\n1\n");
    folder.write("c.txt", "not read");
    let dataset = open(&folder.path("*.csv")).unwrap();
    let names: Vec<_> = dataset.files().map(|file| file.file_name().unwrap()).collect();
    assert_eq!(names, ["a.csv", "b.csv"]);
    assert_eq!(dataset.rows_hint(), None);
    let rows = read_one(&folder.path("*.csv"));
    assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
}

#[test]
fn a_file_that_several_patterns_match_is_read_once() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a\n1\n");
    let patterns = [folder.path("*.csv"), path];
    let dataset = Dataset::open_many(&patterns, DatasetOptions::default()).unwrap();
    assert_eq!(dataset.files().len(), 1);
}

#[test]
fn files_agree_by_name_and_widen_where_nothing_is_lost() {
    let folder = Folder::new();
    let narrow = batch(vec![
        ("x", Arc::new(Int32Array::from(vec![1]))),
        ("s", Arc::new(StringArray::from(vec!["a"]))),
    ]);
    let wide = batch(vec![
        ("s", Arc::new(StringArray::from(vec!["b"]))),
        ("x", Arc::new(Int64Array::from(vec![i64::MAX]))),
    ]);
    folder.parquet("a.parquet", &narrow, 10);
    folder.parquet("b.parquet", &wide, 10);
    let rows = read_one(&folder.path("*.parquet"));
    assert_eq!(rows.column(0).as_primitive::<Int64Type>().values(), &[1, i64::MAX]);
    assert_eq!(rows.column(1).as_string::<i32>().value(1), "b");
}

#[test]
fn numbers_in_several_text_files_become_floats_together() {
    let folder = Folder::new();
    folder.write("a.csv", "x,y\n1,\n");
    folder.write("b.csv", "y,x\n7,2.5\n");
    let rows = read_one(&folder.path("*.csv"));
    assert_eq!(rows.column(0).as_primitive::<Float64Type>().values(), &[1.0, 2.5]);
    assert_eq!(rows.column(1).as_primitive::<Int64Type>().value(1), 7);
}

#[test]
fn files_that_disagree_are_both_named_with_the_column() {
    let folder = Folder::new();
    let first = batch(vec![("x", Arc::new(Int64Array::from(vec![1])))]);
    let second = batch(vec![("x", Arc::new(StringArray::from(vec!["a"])))]);
    let third = batch(vec![("y", Arc::new(Float64Array::from(vec![1.0])))]);
    let first = folder.parquet("a.parquet", &first, 10);
    let second = folder.parquet("b.parquet", &second, 10);
    let third = folder.parquet("c.parquet", &third, 10);
    let error = Dataset::open_many(&[first.clone(), second.clone()], DatasetOptions::default());
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "column `x` is Int64 in `{first}` but Utf8 in `{second}`: cast one of them, or pass other columns"
        )
    );
    let error = Dataset::open_many(&[first.clone(), third.clone()], DatasetOptions::default());
    assert_eq!(
        error.unwrap_err().to_string(),
        format!(
            "`{first}` has no column `y`, which `{third}` has: pass the columns that all files share"
        )
    );
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a,a\n1,2\n");
    assert!(
        matches!(open(&path), Err(DatasetError::DuplicateColumn { column, .. }) if column == "a")
    );
}

#[test]
fn the_content_decides_whether_the_name_lies() {
    let folder = Folder::new();
    let parquet = folder.parquet("a.parquet", &numbers(3), 10);
    let path = folder.write("x.csv", fs::read(&parquet).unwrap());
    assert_eq!(
        open(&path).unwrap_err().to_string(),
        format!("`{path}` holds Parquet data, not CSV: rename it or pass format='parquet'")
    );
    let options = DatasetOptions { format: Some(Format::Parquet), ..DatasetOptions::default() };
    assert_eq!(Dataset::open(&path, options).unwrap().rows_hint(), Some(3));
    let path = folder.write("text.parquet", "a,b\n1,2\n");
    let error = open(&path).unwrap_err().to_string();
    assert_eq!(error, format!("`{path}` holds text, not Parquet: check how it was written"));
}

#[test]
fn an_unknown_extension_is_an_error_unless_the_content_is_marked() {
    let folder = Folder::new();
    let parquet = folder.parquet("a.parquet", &numbers(3), 10);
    let path = folder.write("x.dat", fs::read(&parquet).unwrap());
    assert_eq!(read_one(&path).num_rows(), 3);
    let path = folder.write("y.dat", "a\n1\n");
    let error = open(&path).unwrap_err().to_string();
    assert!(error.contains("extension `.dat` says no format"), "{error}");
    let options = DatasetOptions { format: Some(Format::Csv), ..DatasetOptions::default() };
    assert_eq!(Dataset::open(&path, options).unwrap().count(), 1);
}

#[test]
fn content_that_no_reader_takes_says_what_it_is() {
    let folder = Folder::new();
    let error =
        |name: &str, bytes: &[u8]| open(&folder.write(name, bytes)).unwrap_err().to_string();
    assert!(error("a.csv", b"").contains("is empty (0 bytes)"));
    assert!(error("a.csv.gz", b"\x1f\x8b\x08\0").contains("compressed with gzip"));
    assert!(error("a.ndjson", b"\x28\xb5\x2f\xfd....").contains("compressed with zstd"));
    assert!(error("a.csv", b"a,b\n\0\x01\x02").contains("holds binary data, not CSV"));
    assert!(error("a.csv", b"a\n\xe9t\xe9\n").contains("not UTF-8 text"));
    assert!(error("a.csv", b"\xff\xfea\0,\0b\0").contains("UTF-16"));
    assert!(error("a.json", b" [{\"a\":1}]").contains("one JSON array"));
    assert!(error("a.arrow", b"plain words").contains("holds text, not Arrow IPC"));
}

#[test]
fn truncated_files_are_known_by_their_missing_end() {
    let folder = Folder::new();
    let bytes = fs::read(folder.parquet("a.parquet", &numbers(100), 10)).unwrap();
    for length in [4, 8, 100, bytes.len() - 1] {
        let path = folder.write("cut.parquet", &bytes[..length]);
        let error = read(&path).unwrap_err();
        assert!(error.to_string().contains("cut.parquet"), "{error}");
        let is_truncated = matches!(error, DatasetError::Truncated { .. });
        assert!(is_truncated || length == 4, "{error}");
    }
}

#[test]
fn damage_in_a_late_row_group_names_the_file_and_the_group() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &numbers(100), 10);
    let metadata = {
        let file = File::open(&path).unwrap();
        ArrowReaderMetadata::load(&file, ArrowReaderOptions::default()).unwrap()
    };
    let group = metadata.metadata().row_group(7);
    let start = usize::try_from(group.column(1).byte_range().0).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes[start..start + 16].fill(0xff);
    fs::write(&path, bytes).unwrap();
    let options = DatasetOptions { batch_rows: 10, ..DatasetOptions::default() };
    let mut dataset = Dataset::open(&path, options).unwrap();
    let good = dataset.by_ref().take_while(Result::is_ok).count();
    assert_eq!(good, 7);
    assert!(dataset.next().is_none());
    let error = read(&path).unwrap_err().to_string();
    assert!(error.contains("a.parquet"), "{error}");
    let options = DatasetOptions { batch_rows: 10, ..DatasetOptions::default() };
    let error = Dataset::open(&path, options).unwrap().find_map(Result::err).unwrap();
    assert!(error.to_string().contains("row group 7"), "{error}");
}

#[test]
fn paths_that_lead_nowhere_say_where_was_looked() {
    let folder = Folder::new();
    let error = open("no-such-file.csv").unwrap_err();
    let DatasetError::NotFound { absolute, .. } = &error else { panic!("{error}") };
    assert!(absolute.is_absolute() && absolute.ends_with("no-such-file.csv"));
    assert!(matches!(open(&folder.path("*.csv")), Err(DatasetError::NothingMatches { .. })));
    assert!(matches!(open(&folder.path("")), Err(DatasetError::Directory { .. })));
    assert!(matches!(open("a[*.csv"), Err(DatasetError::BadPattern { .. })));
}

#[test]
fn a_file_may_be_named_like_a_pattern() {
    let folder = Folder::new();
    let path = folder.write("odd[1].csv", "a\n1\n");
    assert_eq!(read_one(&path).num_rows(), 1);
}

#[test]
fn files_that_vanish_after_opening_are_an_error_once() {
    let folder = Folder::new();
    let path = folder.write("a.csv", "a\n1\n");
    let mut dataset = open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(matches!(dataset.next(), Some(Err(DatasetError::System { .. }))));
    assert!(dataset.next().is_none());
}

#[test]
fn formats_are_known_by_extension_and_keyword() {
    for (name, format) in [
        ("A.PARQUET", Format::Parquet),
        ("a.pq", Format::Parquet),
        ("a.csv", Format::Csv),
        ("a.jsonl", Format::NdJson),
        ("a.feather", Format::ArrowIpc),
    ] {
        assert_eq!(Format::from_extension(Path::new(name)), Some(format));
        assert_eq!(Format::from_keyword(format.keyword()), Some(format));
    }
    assert_eq!(Format::from_extension(Path::new("csv")), None);
}

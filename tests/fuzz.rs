//! The fuzz targets on their seeds: so they build everywhere, and what holds of any bytes holds of these.

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
pub mod targets;

fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new("fuzz/seeds").join(target);
    let seeds = fs::read_dir(folder).expect("a target has seeds");
    for seed in seeds {
        let path = seed.expect("the folder can be listed").path();
        let bytes = fs::read(path).expect("a seed can be read");
        // Cut short, it is another one.
        for end in [bytes.len(), bytes.len() / 2, bytes.len().min(2)] {
            run(&bytes[..end]);
        }
    }
}

#[test]
fn calls_are_answered_by_the_model() {
    replay("calls", targets::calls::run);
}

#[test]
fn requests_in_cbor_are_read_as_an_independent_parser_reads_them() {
    replay("cbor_request", targets::cbor_request::run);
}

#[test]
fn frames_are_read_where_they_were_written_and_no_others() {
    replay("journal", targets::journal::run);
}

#[test]
fn records_of_json_are_read_as_an_independent_parser_reads_them() {
    replay("json_records", targets::json_records::run);
}

#[test]
fn requests_in_json_are_answered_the_same_by_either_way() {
    replay("json_request", targets::json_request::run);
}

#[test]
fn names_print_as_they_were_written() {
    replay("names", targets::names::run);
}

#[test]
fn segments_of_any_bytes_are_read_in_order_or_refused() {
    replay("segment", targets::segment::run);
}

#[test]
fn times_are_read_as_arrow_reads_them() {
    replay("time_text", targets::time_text::run);
}

#[test]
fn tokens_that_were_changed_do_not_open() {
    replay("token", targets::token::run);
}

//! Replays of datasets: readers of files and tables, and the pace at which rows arrive.

pub mod dataset;

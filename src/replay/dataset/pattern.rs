//! Paths and glob patterns to the files they stand for, in sorted order.

use std::path::Path;
use std::path::PathBuf;

use crate::replay::dataset::error::DatasetError;
use crate::replay::dataset::format::system;

/// The files of all patterns, in the order of the patterns and sorted within each; a file comes once.
pub(super) fn files(patterns: &[String]) -> Result<Vec<PathBuf>, DatasetError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for pattern in patterns {
        for file in matches(pattern)? {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    Ok(files)
}

fn matches(pattern: &str) -> Result<Vec<PathBuf>, DatasetError> {
    // A file whose name looks like a pattern is still that file.
    let path = Path::new(pattern);
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(DatasetError::Directory { path: path.to_owned() }),
        Ok(found) if found.is_file() => Ok(vec![path.to_owned()]),
        Ok(_) => Err(DatasetError::NotRegular { file: path.to_owned() }),
        Err(_) if pattern.contains(['*', '?', '[']) => globbed(pattern),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(DatasetError::NotFound { path: pattern.to_owned(), absolute: absolute(path) })
        }
        Err(error) => Err(system(path, &error)),
    }
}

fn globbed(pattern: &str) -> Result<Vec<PathBuf>, DatasetError> {
    let paths = glob::glob(pattern).map_err(|error| DatasetError::BadPattern {
        pattern: pattern.to_owned(),
        reason: error.to_string(),
    })?;
    let mut files = Vec::new();
    for path in paths {
        let path = path.map_err(|error| system(error.path(), error.error()))?;
        if path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        let directory = absolute(Path::new("."));
        return Err(DatasetError::NothingMatches { pattern: pattern.to_owned(), directory });
    }
    files.sort();
    Ok(files)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

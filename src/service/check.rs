//! Whether members keep the model's constraints, and the service's sentences where they do not.

use std::fmt::Write;

use bytes::Bytes;

use crate::service::error::ServiceError;
use crate::service::shape::Length;
use crate::service::shape::Member;
use crate::service::shape::Range;
use crate::service::shape::Shape;
use crate::service::shape::Structure;
use crate::service::shape::Text;
use crate::service::value::Members;
use crate::service::value::Value;

/// How many faults the service tells of at once.
const FAULTS_MAX: usize = 10;

/// Checks the members of a request; `is_required` says whether a member that the model leaves open must be there.
pub fn check(
    structure: &Structure,
    members: &Members,
    is_required: impl Fn(&Member) -> bool,
) -> Result<(), ServiceError> {
    let mut violations = Violations::default();
    violations.check_members(structure, members, "", &is_required);
    violations.into_result()
}

/// What was found wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Violations(Vec<String>);

impl Violations {
    /// Tells of the first ten, if there are any.
    pub(crate) fn into_result(self) -> Result<(), ServiceError> {
        let count = self.0.len();
        if count == 0 {
            return Ok(());
        }
        let plural = if count == 1 { "" } else { "s" };
        let faults = self.0.join("; ");
        Err(ServiceError::validation(format!(
            "{count} validation error{plural} detected: {faults}"
        )))
    }

    /// Adds that bytes are more than they may be.
    pub(crate) fn add_too_long(&mut self, data: &Bytes, path: &str, max: usize) {
        let constraint = format!("Member must have length less than or equal to {max}");
        self.add(&quoted(&Value::Blob(data.clone())), path, &constraint);
    }

    /// Adds a sentence about a value at a path.
    fn add(&mut self, value: &str, path: &str, constraint: &str) {
        if self.0.len() < FAULTS_MAX {
            self.0.push(format!(
                "Value {value} at '{path}' failed to satisfy constraint: {constraint}"
            ));
        }
    }

    fn check_members(
        &mut self,
        structure: &Structure,
        members: &Members,
        before: &str,
        is_required: &dyn Fn(&Member) -> bool,
    ) {
        for member in structure.members {
            let path = format!("{before}{}", lower_first(member.name));
            match members.get(member.name) {
                Some(value) => self.check_value(member.shape, value, &path),
                None if member.required || is_required(member) => {
                    self.add("null", &path, "Member must not be null");
                }
                None => {}
            }
        }
    }

    fn check_value(&mut self, shape: &Shape, value: &Value, path: &str) {
        match (shape, value) {
            (Shape::Blob(length), Value::Blob(_)) => self.check_length(*length, value, path),
            (Shape::Integer(range) | Shape::Long(range), Value::Integer(number)) => {
                for constraint in range_faults(*range, *number) {
                    self.add(&quoted(value), path, &constraint);
                }
            }
            (Shape::List(member, length), Value::List(values)) => {
                self.check_length(*length, value, path);
                self.check_items(member, values, value, path);
            }
            (Shape::Map(key, each, length), Value::Map(pairs)) => {
                self.check_length(*length, value, path);
                if pairs.iter().any(|(name, _)| has_fault(key, name)) {
                    self.add(&quoted(value), path, &format!("Map keys {}", all_of(key)));
                }
                if pairs.iter().any(|(_, text)| has_fault(each, text)) {
                    self.add(&quoted(value), path, &format!("Map value {}", all_of(each)));
                }
            }
            (Shape::Structure(structure), Value::Structure(members)) => {
                self.check_members(structure, members, &format!("{path}."), &|_| false);
            }
            (Shape::Text(text), Value::Text(found)) => {
                for constraint in text_faults(text, found) {
                    self.add(&quoted(value), path, &constraint);
                }
            }
            _ => {}
        }
    }

    fn check_items(&mut self, shape: &Shape, values: &[Value], whole: &Value, path: &str) {
        match shape {
            Shape::Text(text) => {
                let is_bad =
                    |value: &Value| matches!(value, Value::Text(found) if has_fault(text, found));
                if values.iter().any(is_bad) {
                    self.add(&quoted(whole), path, &format!("Member {}", all_of(text)));
                }
            }
            _ => {
                for (place, value) in (1..).zip(values) {
                    self.check_value(shape, value, &format!("{path}.{place}.member"));
                }
            }
        }
    }

    fn check_length(&mut self, length: Length, value: &Value, path: &str) {
        let count = match value {
            Value::Blob(bytes) => bytes.len(),
            Value::List(values) => values.len(),
            Value::Map(pairs) => pairs.len(),
            _ => return,
        };
        for constraint in length_faults(length, count) {
            self.add(&quoted(value), path, &constraint);
        }
    }
}

fn has_fault(text: &Text, found: &str) -> bool {
    !text_faults(text, found).is_empty()
}

fn text_faults(text: &Text, found: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(pattern) = text.pattern.filter(|pattern| !pattern.matches(found)) {
        faults.push(like(pattern.source));
    }
    // Characters are at most as many as bytes: most texts need not be counted.
    let is_short = text.length.max.is_none_or(|max| found.len() <= max);
    let count = if is_short && text.length.min <= 1 {
        usize::from(!found.is_empty())
    } else {
        found.chars().count()
    };
    faults.extend(length_faults(text.length, count));
    if !text.values.is_empty() && !text.values.contains(&found) {
        faults.push(one_of(text.values));
    }
    faults
}

fn length_faults(length: Length, count: usize) -> Vec<String> {
    let mut faults = Vec::new();
    if count < length.min {
        faults.push(at_least(length.min));
    }
    if let Some(max) = length.max.filter(|&max| max < count) {
        faults.push(at_most(max));
    }
    faults
}

fn range_faults(range: Range, number: i64) -> Vec<String> {
    let mut faults = Vec::new();
    if let Some(min) = range.min.filter(|&min| number < min) {
        faults.push(format!("Member must have value greater than or equal to {min}"));
    }
    if let Some(max) = range.max.filter(|&max| max < number) {
        faults.push(format!("Member must have value less than or equal to {max}"));
    }
    faults
}

fn at_least(min: usize) -> String {
    format!("Member must have length greater than or equal to {min}")
}

fn at_most(max: usize) -> String {
    format!("Member must have length less than or equal to {max}")
}

fn like(source: &str) -> String {
    format!("Member must satisfy regular expression pattern: {source}")
}

fn one_of(values: &[&str]) -> String {
    format!("Member must satisfy enum value set: [{}]", values.join(", "))
}

/// All constraints on the items of a list or map, as the service says them of the whole.
fn all_of(text: &Text) -> String {
    let mut constraints = Vec::new();
    constraints.extend(text.length.max.map(at_most));
    if text.length.max.is_some() {
        constraints.push(at_least(text.length.min));
    }
    constraints.extend(text.pattern.map(|pattern| like(pattern.source)));
    if !text.values.is_empty() {
        constraints.push(one_of(text.values));
    }
    format!("must satisfy constraint: [{}]", constraints.join(", "))
}

/// A value as the service writes it into its sentences.
fn quoted(value: &Value) -> String {
    let mut text = String::from("'");
    describe(value, &mut text);
    text.push('\'');
    text
}

fn describe(value: &Value, text: &mut String) {
    match value {
        Value::Blob(bytes) => {
            let len = bytes.len();
            let _ = write!(text, "java.nio.HeapByteBuffer[pos=0 lim={len} cap={len}]");
        }
        Value::Boolean(is_so) => {
            let _ = write!(text, "{is_so}");
        }
        Value::Integer(number) => {
            let _ = write!(text, "{number}");
        }
        // The service names the class and the address of each, which says no more than one of them.
        Value::List(values) if matches!(values.as_slice(), [Value::Structure(_), _, ..]) => {
            text.push_str("[{...}, ...]");
        }
        Value::List(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { ", " });
                describe(value, text);
            }
            text.push(']');
        }
        Value::Map(pairs) => {
            let pairs: Vec<String> =
                pairs.iter().map(|(key, each)| format!("{key}={each}")).collect();
            let _ = write!(text, "{{{}}}", pairs.join(", "));
        }
        // The service writes the name of a class and an address here, which say nothing.
        Value::Structure(_) => text.push_str("{...}"),
        Value::Text(found) => text.push_str(found),
        Value::Timestamp(time) => {
            let _ = write!(text, "{}", time.0);
        }
    }
}

/// A member's name as the service writes it into its sentences.
pub fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

#[cfg(test)]
mod tests;

//! Groups: every distinct tuple of keys gets a dense code, and codes become columns again.

mod column;
mod interner;
mod packed;
mod table;
mod words;

use arrow_array::ArrayRef;
use arrow_row::RowConverter;
use arrow_row::SortField;
use arrow_schema::DataType;
use arrow_schema::SortOptions;

use crate::window::WindowError;
use crate::window::group::column::KeyColumn;
use crate::window::group::interner::Interner;
use crate::window::group::interner::LOOKED_MAX;
use crate::window::group::interner::PACKED_PARTS_MAX;
use crate::window::group::interner::UNPACKED;
use crate::window::group::interner::pack_tuple;

pub(crate) use crate::window::group::column::value_type;

/// The groups of one operator.
///
/// Null is a key of its own; all NaNs are one key, and -0.0 is 0.0.
#[derive(Debug)]
pub(crate) struct Groups {
    columns: Vec<KeyColumn>,
    /// The tuples of column codes, where there are several columns.
    tuples: Interner,
    /// How many tuples hold each code of each column.
    holds: Vec<Vec<u32>>,
    /// Codes made since the last `take_new`.
    made: Vec<u32>,
}

/// The columns of some groups in ascending order of their keys, nulls last.
#[derive(Debug)]
pub(crate) struct Ranked {
    pub(crate) columns: Vec<ArrayRef>,
    /// The rank of each code; what codes without a rank have means nothing.
    pub(crate) ranks: Vec<u32>,
}

impl Groups {
    pub(crate) fn new(types: &[DataType]) -> Result<Self, WindowError> {
        Ok(Self {
            columns: types.iter().map(KeyColumn::new).collect::<Result<_, _>>()?,
            tuples: Interner::default(),
            holds: vec![Vec::new(); types.len()],
            made: Vec::new(),
        })
    }

    /// Answers the code of every row.
    pub(crate) fn encode(
        &mut self,
        columns: &[ArrayRef],
        rows: usize,
    ) -> Result<Vec<u32>, WindowError> {
        let mut codes = Vec::with_capacity(rows);
        match self.columns.as_mut_slice() {
            [] => codes.resize(rows, 0),
            [column] => column.encode(&columns[0], &mut codes, &mut self.made)?,
            several => {
                // The columns' own new codes are held by the tuples that name them.
                let mut unused = Vec::new();
                let mut parts = Vec::with_capacity(several.len());
                for (column, array) in several.iter_mut().zip(columns) {
                    let mut part = Vec::with_capacity(rows);
                    column.encode(array, &mut part, &mut unused)?;
                    parts.push(part);
                }
                self.encode_tuples(&parts, rows, &mut codes);
            }
        }
        Ok(codes)
    }

    /// Codes made since the last call.
    pub(crate) fn take_new(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.made)
    }

    /// Forgets keys, so that their codes go to others.
    pub(crate) fn reclaim(&mut self, codes: &[u32]) {
        match self.columns.as_mut_slice() {
            [] => {}
            [column] => codes.iter().for_each(|&code| column.forget(code)),
            several => {
                let count = several.len();
                for &code in codes {
                    let Some(parts) = self.tuples.parts(code, count) else {
                        continue;
                    };
                    self.tuples.forget(code);
                    for ((column, holds), part) in
                        several.iter_mut().zip(&mut self.holds).zip(parts)
                    {
                        let holds = &mut holds[part as usize];
                        *holds -= 1;
                        if *holds == 0 {
                            column.forget(part);
                        }
                    }
                }
            }
        }
    }

    /// Answers the key columns of `codes`, a row each.
    pub(crate) fn columns(&self, codes: &[u32]) -> Result<Vec<ArrayRef>, WindowError> {
        match self.columns.as_slice() {
            [] => Ok(Vec::new()),
            [column] => Ok(vec![column.values(codes)?]),
            several => {
                let mut parts = vec![Vec::with_capacity(codes.len()); several.len()];
                for &code in codes {
                    let tuple = self.tuples.parts(code, several.len());
                    let tuple = tuple.expect("a code in use has its tuple");
                    parts.iter_mut().zip(tuple).for_each(|(part, code)| part.push(code));
                }
                several.iter().zip(&parts).map(|(column, codes)| column.values(codes)).collect()
            }
        }
    }

    /// Sorts distinct codes by their keys.
    pub(crate) fn ranked(&self, codes: &[u32]) -> Result<Ranked, WindowError> {
        let size = codes.iter().max().map_or(0, |&code| code as usize + 1);
        let mut ranks = vec![0; size];
        if self.columns.is_empty() {
            return Ok(Ranked { columns: Vec::new(), ranks });
        }
        let sorted = self.sorted(codes)?;
        for (rank, &code) in (0..).zip(&sorted) {
            ranks[code as usize] = rank;
        }
        Ok(Ranked { columns: self.columns(&sorted)?, ranks })
    }

    /// One more than the greatest code there ever was.
    #[cfg(test)]
    pub(crate) fn code_count(&self) -> usize {
        match self.columns.as_slice() {
            [] => 1,
            [column] => column.code_count(),
            _ => self.tuples.code_count(),
        }
    }

    fn sorted(&self, codes: &[u32]) -> Result<Vec<u32>, WindowError> {
        if let [column] = self.columns.as_slice()
            && let Some(sorted) = column.sorted(codes)
        {
            return Ok(sorted);
        }
        let order = Self::order(&self.columns(codes)?)?;
        Ok(order.iter().map(|&index| codes[index as usize]).collect())
    }

    fn order(columns: &[ArrayRef]) -> Result<Vec<u32>, WindowError> {
        let ascending = SortOptions { descending: false, nulls_first: false };
        let fields = columns
            .iter()
            .map(|column| SortField::new_with_options(column.data_type().clone(), ascending))
            .collect();
        let rows = RowConverter::new(fields)?.convert_columns(columns)?;
        let mut order: Vec<u32> = (0..).take(rows.num_rows()).collect();
        order.sort_unstable_by(|&a, &b| rows.row(a as usize).cmp(&rows.row(b as usize)));
        Ok(order)
    }

    /// Answers, by code of other groups, the code that its key has here; that of codes not given means nothing.
    pub(crate) fn translate(
        &mut self,
        other: &Self,
        codes: &[u32],
    ) -> Result<Vec<u32>, WindowError> {
        let translated = match (self.columns.as_mut_slice(), other.columns.as_slice()) {
            ([ours], [theirs]) => {
                let mut translated = Vec::with_capacity(codes.len());
                ours.translate(theirs, codes, &mut translated, &mut self.made);
                translated
            }
            _ => self.encode(&other.columns(codes)?, codes.len())?,
        };
        let mut by_code = vec![0; codes.iter().max().map_or(0, |&code| code as usize + 1)];
        for (&code, translated) in codes.iter().zip(translated) {
            by_code[code as usize] = translated;
        }
        Ok(by_code)
    }

    /// The heap bytes of the keys, about.
    pub(crate) fn bytes(&self) -> usize {
        self.tuples.bytes() + self.columns.iter().map(KeyColumn::bytes).sum::<usize>()
    }

    fn encode_tuples(&mut self, parts: &[Vec<u32>], rows: usize, codes: &mut Vec<u32>) {
        codes.resize(rows, 0);
        let Self { tuples, holds, made, .. } = self;
        let is_packed = parts.len() <= PACKED_PARTS_MAX;
        let mut room = [UNPACKED; LOOKED_MAX];
        let mut tuple = vec![0; parts.len()];
        for (start, codes) in (0..).step_by(LOOKED_MAX).zip(codes.chunks_mut(LOOKED_MAX)) {
            let packed = &mut room[..codes.len()];
            if is_packed {
                for (row, packed) in (start..).zip(&mut *packed) {
                    *packed = pack_tuple(parts.iter().map(|part| part[row]));
                }
            }
            tuples.intern_all(packed, codes, |tuples, row| {
                tuple.iter_mut().zip(parts).for_each(|(code, part)| *code = part[start + row]);
                let (code, is_new) = tuples.intern_tuple(&tuple);
                if is_new {
                    made.push(code);
                    hold(holds, &tuple);
                }
                code
            });
        }
    }
}

/// Counts a tuple that holds a code of each column.
fn hold(holds: &mut [Vec<u32>], tuple: &[u32]) {
    for (holds, &code) in holds.iter_mut().zip(tuple) {
        if holds.len() <= code as usize {
            holds.resize(code as usize + 1, 0);
        }
        holds[code as usize] += 1;
    }
}

#[cfg(test)]
mod tests;

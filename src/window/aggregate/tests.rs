//! Every function against a naive model, in every way that rows can come together.

#![expect(
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the models compute with small numbers, and answers are exact"
)]

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_array::Array;
use arrow_array::BinaryArray;
use arrow_array::BooleanArray;
use arrow_array::Date32Array;
use arrow_array::Decimal128Array;
use arrow_array::DictionaryArray;
use arrow_array::Float32Array;
use arrow_array::Float64Array;
use arrow_array::Int64Array;
use arrow_array::LargeStringArray;
use arrow_array::ListArray;
use arrow_array::StringArray;
use arrow_array::StringViewArray;
use arrow_array::TimestampMillisecondArray;
use arrow_array::UInt8Array;
use arrow_array::UInt64Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::types::Int32Type;
use arrow_array::types::Int64Type;
use arrow_schema::TimeUnit;
use proptest::prelude::*;

use super::approx_distinct::EXACT_COUNT_MAX;
use super::*;

const SLOT_COUNT: usize = 4;

/// The column of states that answer one.
fn only(mut columns: Vec<ArrayRef>) -> ArrayRef {
    assert_eq!(columns.len(), 1);
    columns.remove(0)
}

/// Rows in order of arrival: the slot, and the index of the value in the column; times are the indices, so
/// that no order of arrival changes what is first.
#[derive(Clone, Debug)]
struct Arrival {
    rows: Vec<(u32, u32)>,
}

impl Arrival {
    fn in_order(slots: &[u32]) -> Self {
        Self { rows: slots.iter().copied().zip(0..).collect() }
    }

    fn batch(&self, column: &ArrayRef, from: usize, to: usize) -> (ArrayRef, Vec<i64>, Vec<u32>) {
        let indices = self.rows[from..to].iter().map(|&(_, index)| index);
        let indices = arrow_array::UInt32Array::from_iter_values(indices);
        let values = arrow_select::take::take(column, &indices, None).unwrap();
        let times = indices.values().iter().map(|&index| i64::from(index)).collect();
        (values, times, self.rows[from..to].iter().map(|&(slot, _)| slot).collect())
    }

    fn fold(&self, states: &mut dyn States, column: &ArrayRef, from: usize, to: usize) {
        let (values, times, slots) = self.batch(column, from, to);
        let first_ordinal = from as u64;
        states.update(
            Rows { values: Some(&values), times: &times, first_ordinal, picked: None },
            &slots,
        );
    }

    /// Folds only the rows of a batch that `picks`, as a batch of which other rows go elsewhere.
    fn fold_picked(
        &self,
        states: &mut dyn States,
        column: &ArrayRef,
        picks: impl Fn(usize) -> bool,
    ) {
        let (values, times, slots) = self.batch(column, 0, self.rows.len());
        let picked: Vec<u32> =
            (0..u32::try_from(slots.len()).unwrap()).filter(|&row| picks(row as usize)).collect();
        let slots: Vec<u32> = picked.iter().map(|&row| slots[row as usize]).collect();
        let picked = Some(picked.as_slice());
        states.update(
            Rows { values: Some(&values), times: &times, first_ordinal: 0, picked },
            &slots,
        );
    }
}

fn aggregate(function: Function) -> Aggregate {
    Aggregate::new("answer", function, Some("amount".to_owned())).unwrap()
}

fn empty(function: &Function, input: &DataType) -> Box<dyn States> {
    let mut states = aggregate(function.clone()).states(Some(input)).unwrap();
    states.grow(SLOT_COUNT);
    states
}

const SLOTS: [u32; SLOT_COUNT] = [0, 1, 2, 3];

/// The answers of all slots, by one batch in order.
fn answers(function: &Function, column: &ArrayRef, slots: &[u32]) -> ArrayRef {
    let mut states = empty(function, column.data_type());
    Arrival::in_order(slots).fold(&mut *states, column, 0, slots.len());
    let answer = only(states.finish(&SLOTS).unwrap());
    let output_type = aggregate(function.clone()).output_type(Some(column.data_type())).unwrap();
    assert_eq!(answer.data_type(), &output_type);
    answer
}

/// The answers of one slot.
fn answer(function: &Function, column: &ArrayRef) -> ArrayRef {
    answers(function, column, &vec![0; column.len()]).slice(0, 1)
}

fn float_answer(function: &Function, column: &ArrayRef) -> Option<f64> {
    let answer = answer(function, column);
    answer.is_valid(0).then(|| answer.as_primitive::<Float64Type>().value(0))
}

fn floats(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn every_function() -> Vec<Function> {
    let mut functions = vec![
        Function::ApproxCountDistinct,
        Function::Count,
        Function::CountDistinct,
        Function::First { ignore_nulls: false },
        Function::First { ignore_nulls: true },
        Function::Last { ignore_nulls: false },
        Function::Last { ignore_nulls: true },
        Function::Max,
        Function::Mean,
        Function::Median,
        Function::Min,
        Function::Std { ddof: 1 },
        Function::Sum,
        Function::TopK { k: 3 },
        Function::Var { ddof: 0 },
    ];
    functions
        .extend(INTERPOLATIONS.map(|interpolation| Function::Quantile { q: 0.3, interpolation }));
    functions
}

const INTERPOLATIONS: [Interpolation; 5] = [
    Interpolation::Linear,
    Interpolation::Lower,
    Interpolation::Higher,
    Interpolation::Nearest,
    Interpolation::Midpoint,
];

/// The same answers, however the rows arrive, are split, picked and merged.
fn agree(function: &Function, column: &ArrayRef, slots: &[u32], order: &[u32], cut: usize) {
    let expected = answers(function, column, slots);
    let shuffled =
        Arrival { rows: order.iter().map(|&index| (slots[index as usize], index)).collect() };
    let (cut, count) = (cut.min(slots.len()), slots.len());
    let input = column.data_type();

    let mut split = empty(function, input);
    shuffled.fold(&mut *split, column, 0, cut);
    shuffled.fold(&mut *split, column, cut, count);
    assert_eq!(&only(split.finish(&SLOTS).unwrap()), &expected, "{function:?} split");

    let mut picked = empty(function, input);
    shuffled.fold_picked(&mut *picked, column, |row| row % 3 != 0);
    shuffled.fold_picked(&mut *picked, column, |row| row % 3 == 0);
    assert_eq!(&only(picked.finish(&SLOTS).unwrap()), &expected, "{function:?} picked");

    let mut left = empty(function, input);
    let mut right = left.fresh();
    right.grow(SLOT_COUNT);
    shuffled.fold(&mut *left, column, cut, count);
    shuffled.fold(&mut *right, column, 0, cut);
    left.merge(&[3, 2, 1, 0], &*right, &[3, 2, 1, 0]);
    assert_eq!(&only(left.finish(&SLOTS).unwrap()), &expected, "{function:?} merged");

    let mut within = empty(function, input);
    within.grow(2 * SLOT_COUNT);
    let mut elsewhere = shuffled.clone();
    elsewhere.rows[cut..].iter_mut().for_each(|(slot, _)| *slot += 4);
    elsewhere.fold(&mut *within, column, 0, count);
    within.merge_within(&SLOTS, &[4, 5, 6, 7]);
    assert_eq!(&only(within.finish(&SLOTS).unwrap()), &expected, "{function:?} merged within");

    within.clear(&[0, 1, 2, 3, 4, 5, 6, 7]);
    shuffled.fold(&mut *within, column, 0, count);
    assert_eq!(
        &only(within.finish(&SLOTS).unwrap()),
        &expected,
        "{function:?} cleared and used again"
    );
}

fn some_float() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(f64::NAN)),
        1 => Just(Some(-0.0)),
        2 => (-5..5_i32).prop_map(|value| Some(f64::from(value))),
        8 => (-1_000_000..1_000_000_i32, 0..6).prop_map(|(value, digits)| {
            Some(f64::from(value) / 10_f64.powi(digits))
        }),
    ]
}

/// Values, a slot for each, an order of arrival and a place to cut it.
fn placed<V: Clone + fmt::Debug>(
    value: impl Strategy<Value = V>,
) -> impl Strategy<Value = (Vec<V>, Vec<u32>, Vec<u32>, usize)> {
    proptest::collection::vec((value, 0..3_u32), 1..60).prop_flat_map(|rows| {
        let count = rows.len();
        let (values, slots): (Vec<V>, Vec<u32>) = rows.into_iter().unzip();
        let order: Vec<u32> = (0..u32::try_from(count).unwrap()).collect();
        (Just(values), Just(slots), Just(order).prop_shuffle(), 0..=count)
    })
}

/// The values of a slot that are not null.
fn held<V: Clone>(values: &[Option<V>], slots: &[u32], slot: u32) -> Vec<V> {
    values.iter().zip(slots).filter(|&(_, &of)| of == slot).filter_map(|(v, _)| v.clone()).collect()
}

/// The model of every function that answers a float, over values that are whole 1/1024ths.
fn float_model(function: &Function, units: &[i64]) -> Option<f64> {
    let count = units.len();
    let sum: i128 = units.iter().map(|&unit| i128::from(unit)).sum();
    let squares: i128 = units.iter().map(|&unit| i128::from(unit).pow(2)).sum();
    let mut sorted: Vec<f64> = units.iter().map(|&unit| unit as f64 / 1024.0).collect();
    sorted.sort_by(f64::total_cmp);
    let spread = |ddof: u8| {
        let divisor = count.checked_sub(usize::from(ddof)).filter(|&left| left > 0)?;
        let spread = count as i128 * squares - sum * sum;
        Some(spread as f64 / (count * divisor) as f64 / (1 << 20) as f64)
    };
    if count == 0 {
        return None;
    }
    let at = |q: f64| {
        let position = q * (count - 1) as f64;
        (
            sorted[position.floor() as usize],
            sorted[position.ceil() as usize],
            position.fract(),
            position,
        )
    };
    let linear = |q: f64| {
        let (low, high, fraction, _) = at(q);
        low + (high - low) * fraction
    };
    match *function {
        Function::Sum => Some(sum as f64 / 1024.0),
        Function::Mean => Some(sum as f64 / 1024.0 / count as f64),
        Function::Min => Some(sorted[0]),
        Function::Max => Some(sorted[count - 1]),
        Function::Median => Some(linear(0.5)),
        Function::Var { ddof } => spread(ddof),
        Function::Std { ddof } => spread(ddof).map(f64::sqrt),
        Function::Quantile { q, interpolation } => {
            let (low, high, _, position) = at(q);
            Some(match interpolation {
                Interpolation::Linear => linear(q),
                Interpolation::Lower => low,
                Interpolation::Higher => high,
                Interpolation::Nearest => sorted[position.round_ties_even() as usize],
                Interpolation::Midpoint => f64::midpoint(low, high),
            })
        }
        _ => unreachable!("no other function answers a float"),
    }
}

proptest! {
    #[test]
    fn no_order_split_or_merge_changes_an_answer_over_floats(
        (values, slots, order, cut) in placed(some_float())
    ) {
        let column: ArrayRef = Arc::new(Float64Array::from(values));
        for function in every_function() {
            agree(&function, &column, &slots, &order, cut);
        }
    }

    #[test]
    fn no_order_split_or_merge_changes_an_answer_over_integers(
        (values, slots, order, cut) in placed(proptest::option::weighted(0.9, -20..1_000_000_000_i64))
    ) {
        let column: ArrayRef = Arc::new(Int64Array::from(values));
        for function in every_function() {
            agree(&function, &column, &slots, &order, cut);
        }
    }

    #[test]
    fn no_order_split_or_merge_changes_an_answer_over_strings(
        (values, slots, order, cut) in placed(proptest::option::weighted(0.9, "[a-c]{0,2}|[a-d]{14,15}"))
    ) {
        let plain = StringArray::from(values.clone());
        let dictionary: DictionaryArray<Int32Type> = values.iter().map(Option::as_deref).collect();
        let columns: [ArrayRef; 5] = [
            Arc::new(plain.clone()),
            Arc::new(StringViewArray::from(values.clone())),
            Arc::new(LargeStringArray::from(values)),
            Arc::new(BinaryArray::from(plain)),
            Arc::new(dictionary),
        ];
        for column in columns {
            for function in every_function() {
                if aggregate(function.clone()).states(Some(column.data_type())).is_ok() {
                    agree(&function, &column, &slots, &order, cut);
                }
            }
        }
    }

    #[test]
    fn floats_answer_as_the_model_does(
        (units, slots, _, _) in placed(proptest::option::weighted(0.9, -1_000_000..1_000_000_i64))
    ) {
        let values: Float64Array = units.iter().map(|unit| unit.map(|unit| unit as f64 / 1024.0)).collect();
        let column: ArrayRef = Arc::new(values);
        let functions = every_function().into_iter().filter(|function| {
            *function != Function::Count
                && aggregate(function.clone()).output_type(Some(&DataType::Float64)) == Ok(DataType::Float64)
                && !matches!(function, Function::First { .. } | Function::Last { .. })
        });
        for function in functions {
            let answers = answers(&function, &column, &slots);
            let answers = answers.as_primitive::<Float64Type>();
            for slot in SLOTS {
                let model = float_model(&function, &held(&units, &slots, slot));
                let answer = answers.is_valid(slot as usize).then(|| answers.value(slot as usize));
                prop_assert_eq!(answer.is_some(), model.is_some(), "{:?}", function);
                let (answer, model) = (answer.unwrap_or(0.0), model.unwrap_or(0.0));
                let exact = matches!(function, Function::Sum | Function::Mean | Function::Min | Function::Max);
                // Between two values of up to a thousand, an interpolated one is off by their last bits, not its own.
                let error = if exact { 0.0 } else { 1e-13 * model.abs() + 1e-12 };
                prop_assert!((answer - model).abs() <= error, "{:?}: {} is not {}", function, answer, model);
            }
        }
    }

    #[test]
    fn counts_and_ends_answer_as_the_model_does(
        (values, slots, _, _) in placed(proptest::option::weighted(0.8, "[a-c]{0,2}"))
    ) {
        let column: ArrayRef = Arc::new(StringArray::from(values.clone()));
        let of = |function: Function| answers(&function, &column, &slots);
        let integer = |array: &ArrayRef, slot: u32| array.as_primitive::<Int64Type>().value(slot as usize);
        let text = |array: &ArrayRef, slot: u32| {
            array.is_valid(slot as usize).then(|| array.as_string::<i32>().value(slot as usize).to_owned())
        };
        for slot in SLOTS {
            let held = held(&values, &slots, slot);
            let all: Vec<_> = values.iter().zip(&slots).filter(|&(_, &of)| of == slot).map(|(v, _)| v.clone()).collect();
            let distinct = held.iter().collect::<BTreeSet<_>>().len() as i64;
            prop_assert_eq!(integer(&of(Function::Count), slot), held.len() as i64);
            prop_assert_eq!(integer(&of(Function::CountDistinct), slot), distinct);
            prop_assert_eq!(integer(&of(Function::ApproxCountDistinct), slot), distinct);
            prop_assert_eq!(text(&of(Function::Min), slot), held.iter().min().cloned());
            prop_assert_eq!(text(&of(Function::Max), slot), held.iter().max().cloned());
            prop_assert_eq!(text(&of(Function::First { ignore_nulls: true }), slot), held.first().cloned());
            prop_assert_eq!(text(&of(Function::Last { ignore_nulls: true }), slot), held.last().cloned());
            prop_assert_eq!(text(&of(Function::First { ignore_nulls: false }), slot), all.first().cloned().flatten());
            prop_assert_eq!(text(&of(Function::Last { ignore_nulls: false }), slot), all.last().cloned().flatten());

            let mut counts = BTreeMap::new();
            for value in &held {
                *counts.entry(value.clone()).or_insert(0_i64) += 1;
            }
            let mut tallies: Vec<_> = counts.into_iter().collect();
            tallies.sort_by_key(|(_, count)| -count); // stable: equal counts stay in order of value
            tallies.truncate(3);
            prop_assert_eq!(tallies_of(&of(Function::TopK { k: 3 }), slot as usize), tallies);
        }
    }

    #[test]
    fn many_values_stay_within_the_bound_of_their_quantile(
        values in proptest::collection::vec((-1e9..1e9_f64, 0..8).prop_map(|(v, d)| v / 10_f64.powi(d)), 1_100..1_500),
        q in 0.0..=1.0_f64,
    ) {
        let function = Function::Quantile { q, interpolation: Interpolation::Lower };
        let answer = float_answer(&function, &floats(&values)).unwrap();
        let mut sorted = values;
        sorted.sort_by(f64::total_cmp);
        let exact = sorted[(q * (sorted.len() - 1) as f64).floor() as usize];
        prop_assert!((answer - exact).abs() <= exact.abs() / 256.0, "{} is not {}", answer, exact);
    }
}

fn tallies_of(answers: &ArrayRef, slot: usize) -> Vec<(String, i64)> {
    let list = answers.as_list::<i32>().value(slot);
    let tallies = list.as_struct();
    let (values, counts) = (tallies.column(0).as_string::<i32>(), tallies.column(1));
    let counts = counts.as_primitive::<Int64Type>();
    (0..tallies.len()).map(|row| (values.value(row).to_owned(), counts.value(row))).collect()
}

/// Numbers that look random and are the same in every run.
fn scrambled(count: u64, seed: u64) -> impl Iterator<Item = u64> {
    (0..count).map(move |index| key::spread(index.wrapping_add(seed << 40)))
}

#[test]
fn long_float_sums_do_not_feel_the_order() {
    let values: Vec<f64> =
        scrambled(50_000, 3).map(|word| (word >> 11) as f64 / 2_f64.powi(30) - 1e6).collect();
    let reversed: Vec<f64> = values.iter().rev().copied().collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    for function in every_function().into_iter().filter(|function| {
        !matches!(function, Function::First { .. } | Function::Last { .. } | Function::TopK { .. })
    }) {
        let expected = answer(&function, &floats(&values));
        assert_eq!(&answer(&function, &floats(&reversed)), &expected, "{function:?} reversed");
        assert_eq!(&answer(&function, &floats(&sorted)), &expected, "{function:?} sorted");
    }
}

#[test]
fn large_groups_merge_as_they_fold() {
    let words: Vec<u64> = scrambled(6_000, 5).collect();
    let column = floats(&words.iter().map(|word| (word % 3_000) as f64).collect::<Vec<_>>());
    let slots: Vec<u32> = words.iter().map(|word| u32::from(word >> 62 == 0)).collect();
    let order: Vec<u32> = (0..6_000).rev().collect();
    for function in every_function() {
        for cut in [0, 700, 3_000] {
            agree(&function, &column, &slots, &order, cut);
        }
    }
}

#[test]
fn estimates_of_distinct_values_keep_their_standard_error() {
    let (mut squares, mut bias, mut runs) = (0.0, 0.0, 0.0);
    for count in [600_u64, 5_000, 40_000, 120_000] {
        for seed in 1..=12 {
            let column: ArrayRef = Arc::new(UInt64Array::from_iter_values(
                scrambled(count, seed * 7 + count).map(|word| word >> 1),
            ));
            let estimate = answer(&Function::ApproxCountDistinct, &column);
            let estimate = estimate.as_primitive::<Int64Type>().value(0) as f64;
            let error = estimate / count as f64 - 1.0;
            assert!(error.abs() < 5.0 * 0.0081, "{count}: {estimate}");
            squares += error * error;
            bias += error;
            runs += 1.0_f64;
        }
    }
    let (deviation, bias) = ((squares / runs).sqrt(), bias / runs);
    assert!(deviation < 1.25 * 0.0081, "the standard error is {deviation}");
    assert!(bias.abs() < 0.004, "the bias is {bias}");
}

#[test]
fn sequential_integers_and_strings_are_estimated_alike_well() {
    let integers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..100_000).map(|id| format!("user-{id}"))));
    for column in [integers, texts] {
        let estimate = answer(&Function::ApproxCountDistinct, &column);
        let estimate = estimate.as_primitive::<Int64Type>().value(0);
        assert!((97_000..=103_000).contains(&estimate), "{estimate}");
    }
}

#[test]
fn equal_values_are_estimated_equally_in_every_encoding() {
    let texts: Vec<String> = (0..5_000).map(|id| format!("user-{}", id % 2_000)).collect();
    let texts = || texts.iter().map(String::as_str);
    let dictionary: DictionaryArray<Int32Type> = texts().collect();
    let columns: [ArrayRef; 4] = [
        Arc::new(StringArray::from_iter_values(texts())),
        Arc::new(LargeStringArray::from_iter_values(texts())),
        Arc::new(StringViewArray::from_iter_values(texts())),
        Arc::new(dictionary),
    ];
    let estimates = columns.map(|column| answer(&Function::ApproxCountDistinct, &column));
    assert!(estimates.windows(2).all(|pair| *pair[0] == *pair[1]), "{estimates:?}");
}

#[test]
fn a_few_distinct_values_are_counted_exactly() {
    let count = i64::try_from(EXACT_COUNT_MAX).unwrap();
    let column: ArrayRef =
        Arc::new(Int64Array::from_iter_values((0..10 * count).map(|v| v % count)));
    let estimate = answer(&Function::ApproxCountDistinct, &column);
    assert_eq!(estimate.as_primitive::<Int64Type>().value(0), count);
}

#[test]
fn quantiles_of_many_values_keep_both_ends_exact() {
    let values: Vec<f64> = (0..5_000).map(|value| f64::from(value) * 1.1 - 77.7).collect();
    let of = |q| {
        float_answer(
            &Function::Quantile { q, interpolation: Interpolation::Linear },
            &floats(&values),
        )
    };
    assert_eq!(of(0.0), Some(values[0]));
    assert_eq!(of(1.0), Some(values[4_999]));
}

#[test]
fn quantiles_of_many_values_know_zero_nan_and_infinity() {
    let of = |special: f64, q| {
        let mut values = vec![special; 2_000];
        values.extend([f64::NEG_INFINITY, -1.0, 1.0, f64::INFINITY]);
        float_answer(
            &Function::Quantile { q, interpolation: Interpolation::Linear },
            &floats(&values),
        )
        .unwrap()
    };
    assert_eq!(of(0.0, 0.5).to_bits(), 0.0_f64.to_bits());
    assert_eq!(of(-0.0, 0.5).to_bits(), 0.0_f64.to_bits());
    assert_eq!(of(f64::INFINITY, 0.5), f64::INFINITY);
    assert_eq!(of(f64::NEG_INFINITY, 0.5), f64::NEG_INFINITY);
    assert!(of(f64::NAN, 0.5).is_nan());
    assert_eq!(of(f64::NAN, 0.0), f64::NEG_INFINITY);
}

#[test]
fn quantiles_take_nan_for_the_greatest_value() {
    let values = floats(&[f64::NAN, 1.0, 3.0]);
    assert_eq!(float_answer(&Function::Median, &values), Some(3.0));
    let greatest = Function::Quantile { q: 1.0, interpolation: Interpolation::Linear };
    assert!(float_answer(&greatest, &values).unwrap().is_nan());
}

#[test]
fn nan_passes_through_sums_and_gives_way_in_extremes() {
    let values = floats(&[f64::NAN, 1.0, 3.0]);
    for function in
        [Function::Sum, Function::Mean, Function::Var { ddof: 1 }, Function::Std { ddof: 0 }]
    {
        assert!(float_answer(&function, &values).unwrap().is_nan(), "{function:?}");
    }
    assert_eq!(float_answer(&Function::Min, &values), Some(1.0));
    assert_eq!(float_answer(&Function::Max, &values), Some(3.0));
    let undefined = floats(&[f64::NAN, -f64::NAN]);
    assert!(float_answer(&Function::Min, &undefined).unwrap().is_nan());
    assert_eq!(
        answer(&Function::CountDistinct, &undefined).as_primitive::<Int64Type>().value(0),
        1
    );
}

#[test]
fn signed_zeros_are_one_value() {
    let zeros = floats(&[-0.0, 0.0]);
    assert_eq!(answer(&Function::CountDistinct, &zeros).as_primitive::<Int64Type>().value(0), 1);
    assert_eq!(float_answer(&Function::Min, &zeros).unwrap().to_bits(), 0.0_f64.to_bits());
}

#[test]
fn infinities_sum_as_floats_do() {
    assert_eq!(float_answer(&Function::Sum, &floats(&[f64::INFINITY, 1.0])), Some(f64::INFINITY));
    assert!(
        float_answer(&Function::Sum, &floats(&[f64::INFINITY, f64::NEG_INFINITY]))
            .unwrap()
            .is_nan()
    );
    assert!(
        float_answer(&Function::Var { ddof: 0 }, &floats(&[f64::INFINITY, 1.0])).unwrap().is_nan()
    );
}

#[test]
fn equal_values_have_no_variance() {
    let values = floats(&vec![0.1; 1_000]);
    assert_eq!(float_answer(&Function::Std { ddof: 1 }, &values), Some(0.0));
}

#[test]
fn small_spreads_on_large_values_are_found() {
    let values = floats(&[1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0]);
    assert_eq!(float_answer(&Function::Var { ddof: 1 }, &values), Some(30.0));
}

#[test]
fn groups_without_values_answer_null_and_count_zero() {
    let column: ArrayRef = Arc::new(Float64Array::from(vec![None, None]));
    for function in every_function() {
        let answer = answer(&function, &column);
        match function {
            Function::ApproxCountDistinct | Function::Count | Function::CountDistinct => {
                assert_eq!(answer.as_primitive::<Int64Type>().value(0), 0);
            }
            Function::TopK { .. } => assert!(answer.as_list::<i32>().value(0).is_empty()),
            function => assert!(answer.is_null(0), "{function:?}"),
        }
    }
}

#[test]
fn dictionaries_without_values_answer_as_nulls_do() {
    let column: ArrayRef =
        Arc::new([None::<&str>, None].into_iter().collect::<DictionaryArray<Int32Type>>());
    for function in [
        Function::Min,
        Function::CountDistinct,
        Function::ApproxCountDistinct,
        Function::TopK { k: 1 },
        Function::Last { ignore_nulls: false },
    ] {
        agree(&function, &column, &[0, 1], &[1, 0], 1);
        let empty = answer(&function, &column);
        let nothing: ArrayRef = Arc::new(StringArray::from(vec![None::<&str>]));
        assert_eq!(&empty, &answer(&function, &nothing), "{function:?}");
    }
}

#[test]
fn count_without_a_column_counts_rows() {
    let mut states = Aggregate::new("n", Function::Count, None).unwrap().states(None).unwrap();
    states.grow(2);
    let rows = Rows { values: None, times: &[5, 5, 5], first_ordinal: 0, picked: None };
    states.update(rows, &[1, 0, 1]);
    let picked = Rows { picked: Some(&[2]), ..rows };
    states.update(picked, &[1]);
    assert_eq!(only(states.finish(&[1, 0]).unwrap()).as_primitive::<Int64Type>().values(), &[3, 1]);
}

#[test]
fn rows_of_one_time_are_told_apart_by_arrival() {
    let column: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
    let rows = Rows { values: Some(&column), times: &[9, 9, 9], first_ordinal: 0, picked: None };
    for (function, expected) in [
        (Function::First { ignore_nulls: false }, "a"),
        (Function::Last { ignore_nulls: false }, "c"),
    ] {
        let mut states = empty(&function, column.data_type());
        states.update(rows, &[0, 0, 0]);
        assert_eq!(only(states.finish(&[0]).unwrap()).as_string::<i32>().value(0), expected);
    }
}

#[test]
fn integer_sums_past_64_bits_are_refused_by_name() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 1]));
    let mut states = empty(&Function::Sum, column.data_type());
    Arrival::in_order(&[0, 0]).fold(&mut *states, &column, 0, 2);
    let message = states.finish(&[0]).unwrap_err().to_string();
    for fact in ["`answer`", "`amount`", "9223372036854775808", "float64"] {
        assert!(message.contains(fact), "{message}");
    }
}

#[test]
fn integer_sums_that_return_into_range_are_answered() {
    let column: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, i64::MAX, -i64::MAX]));
    assert_eq!(answer(&Function::Sum, &column).as_primitive::<Int64Type>().value(0), i64::MAX);
    let column: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    let expected: ArrayRef = Arc::new(UInt64Array::from(vec![u64::MAX]));
    assert_eq!(&answer(&Function::Sum, &column), &expected);
    let bytes: ArrayRef = Arc::new(UInt8Array::from(vec![255, 255]));
    assert_eq!(answer(&Function::Sum, &bytes).as_primitive::<Int64Type>().value(0), 510);
}

#[test]
fn booleans_sum_to_their_trues() {
    let column: ArrayRef =
        Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]));
    assert_eq!(answer(&Function::Sum, &column).as_primitive::<Int64Type>().value(0), 2);
    assert!(!answer(&Function::Min, &column).as_boolean().value(0));
    assert_eq!(answer(&Function::CountDistinct, &column).as_primitive::<Int64Type>().value(0), 2);
}

#[test]
fn logical_types_are_kept() {
    let columns: [ArrayRef; 6] = [
        Arc::new(TimestampMillisecondArray::from(vec![7, 5, 9]).with_timezone("Europe/Paris")),
        Arc::new(Date32Array::from(vec![7, 5, 9])),
        Arc::new(Decimal128Array::from(vec![-7, 5, 9]).with_precision_and_scale(12, 3).unwrap()),
        Arc::new(Float32Array::from(vec![0.1, -0.2, 0.3])),
        Arc::new(BooleanArray::from(vec![true, false, true])),
        Arc::new(StringViewArray::from(vec!["b", "a", "c"])),
    ];
    for column in columns {
        let least = usize::from(column.as_primitive_opt::<Decimal128Type>().is_none());
        assert_eq!(&answer(&Function::Min, &column), &column.slice(least, 1));
        assert_eq!(&answer(&Function::Max, &column), &column.slice(2, 1).clone());
        assert_eq!(&answer(&Function::First { ignore_nulls: false }, &column), &column.slice(0, 1));
        let top = answer(&Function::TopK { k: 1 }, &column);
        let expected = if column.data_type() == &DataType::Boolean { 0 } else { least };
        assert_eq!(top.as_list::<i32>().value(0).as_struct().column(0), &column.slice(expected, 1));
    }
}

#[test]
fn every_storable_type_survives_its_storage() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None, Some(86_399)]));
    let narrow = arrow_cast::cast(&numbers, &DataType::Int32).unwrap();
    let types = [
        DataType::Date64,
        DataType::Time64(TimeUnit::Microsecond),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Second, None),
        DataType::Timestamp(TimeUnit::Nanosecond, Some("+02:00".into())),
        DataType::Duration(TimeUnit::Millisecond),
    ];
    let narrow_types = [
        DataType::Date32,
        DataType::Time32(TimeUnit::Second),
        DataType::Time32(TimeUnit::Millisecond),
    ];
    let columns = types.map(|logical| arrow_cast::cast(&numbers, &logical).unwrap());
    let narrow_columns = narrow_types.map(|logical| arrow_cast::cast(&narrow, &logical).unwrap());
    let texts: ArrayRef =
        Arc::new(BinaryArray::from(vec![Some(b"ab".as_slice()), None, Some(b"cd")]));
    let fixed = arrow_cast::cast(&texts, &DataType::FixedSizeBinary(2)).unwrap();
    let halves = arrow_cast::cast(&Float32Array::from(vec![0.5, 2.0]), &DataType::Float16).unwrap();
    for column in columns.into_iter().chain(narrow_columns).chain([texts, fixed, halves]) {
        let stored = storage::to_storage(&column);
        assert_eq!(&storage::from_storage(&stored, column.data_type()).unwrap(), &column);
        for function in
            [Function::Min, Function::Max, Function::TopK { k: 2 }, Function::CountDistinct]
        {
            let order: Vec<u32> = (0..u32::try_from(column.len()).unwrap()).rev().collect();
            agree(&function, &column, &vec![0; column.len()], &order, 1);
        }
    }
}

#[test]
fn first_and_last_keep_lists() {
    let column: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![
        None,
        Some(vec![Some(1), None]),
        Some(vec![]),
    ]));
    let of = |function: Function| answer(&function, &column);
    assert_eq!(&of(Function::First { ignore_nulls: false }), &column.slice(0, 1));
    assert_eq!(&of(Function::First { ignore_nulls: true }), &column.slice(1, 1));
    assert_eq!(&of(Function::Last { ignore_nulls: true }), &column.slice(2, 1));
}

#[test]
fn cleared_slots_free_what_they_held() {
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(
        (0..5_000).map(|id| format!("a user with a long name, number {id}")),
    ));
    let numbers: ArrayRef = Arc::new(Float64Array::from_iter_values((0..5_000).map(f64::from)));
    for (function, column) in [
        (Function::ApproxCountDistinct, &texts),
        (Function::CountDistinct, &texts),
        (Function::CountDistinct, &numbers),
        (Function::TopK { k: 2 }, &texts),
        (Function::Median, &numbers),
        (Function::Max, &texts),
        (Function::Last { ignore_nulls: false }, &texts),
    ] {
        let mut states = empty(&function, column.data_type());
        Arrival::in_order(&vec![1; 5_000]).fold(&mut *states, column, 0, 1);
        states.clear(&SLOTS);
        let before = states.bytes();
        Arrival::in_order(&vec![1; 5_000]).fold(&mut *states, column, 0, 5_000);
        let full = states.bytes();
        states.clear(&SLOTS);
        assert!(before < full, "{function:?}");
        assert!(states.bytes() <= before + 256, "{function:?}: {} > {before}", states.bytes());
    }
}

#[test]
fn codes_survive_the_clearing_of_other_slots() {
    let texts: Vec<String> = (0..3_000).map(|id| format!("user-{id}")).collect();
    let column: ArrayRef = Arc::new(StringArray::from(texts.clone()));
    let slots: Vec<u32> = (0..3_000).map(|row| u32::from(row < 2_990)).collect();
    let mut states = empty(&Function::TopK { k: 20 }, column.data_type());
    Arrival::in_order(&slots).fold(&mut *states, &column, 0, 3_000);
    let before = only(states.finish(&[0]).unwrap());
    states.clear(&[1]);
    assert_eq!(&only(states.finish(&[0]).unwrap()), &before);
    let late: Vec<u32> = vec![0; 3_000];
    Arrival::in_order(&late).fold(&mut *states, &column, 2_990, 3_000);
    let doubled = tallies_of(&only(states.finish(&[0]).unwrap()), 0);
    assert_eq!(doubled.len(), 10);
    assert!(doubled.iter().all(|&(_, count)| count == 2), "{doubled:?}");
}

#[test]
fn functions_without_their_column_are_refused() {
    for function in every_function() {
        let refused = Aggregate::new("x", function.clone(), None).is_err();
        assert_eq!(refused, function != Function::Count, "{function:?}");
    }
}

#[test]
fn options_out_of_bounds_are_refused() {
    let quantile = |q| Function::Quantile { q, interpolation: Interpolation::Linear };
    let refused = |function| Aggregate::new("x", function, Some("y".to_owned())).is_err();
    for q in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(refused(quantile(q)), "{q}");
    }
    assert!(!refused(quantile(0.0)) && !refused(quantile(1.0)));
    assert!(refused(Function::TopK { k: 0 }) && refused(Function::TopK { k: TOP_K_MAX + 1 }));
    assert!(!refused(Function::TopK { k: 1 }) && !refused(Function::TopK { k: TOP_K_MAX }));
    assert!(
        refused(Function::Var { ddof: DDOF_MAX + 1 }) && !refused(Function::Std { ddof: DDOF_MAX })
    );
}

#[test]
fn senseless_columns_are_refused_by_name() {
    let timestamp = DataType::Timestamp(TimeUnit::Second, None);
    let list = DataType::new_list(DataType::Int64, true);
    for (function, input) in [
        (Function::Sum, &DataType::Utf8),
        (Function::Mean, &timestamp),
        (Function::Median, &DataType::Duration(TimeUnit::Second)),
        (Function::Var { ddof: 1 }, &DataType::Decimal128(10, 2)),
        (Function::Min, &list),
        (Function::CountDistinct, &list),
    ] {
        let message = aggregate(function.clone()).output_type(Some(input)).unwrap_err().to_string();
        for fact in ["`answer`", "`amount`", function.name(), &input.to_string(), "cast"] {
            assert!(message.contains(fact), "{message}");
        }
    }
}

//! A device, real or emulated (`tests/gpu/run.sh`): its memory, products, and faults.

use super::{Argument, Fault, Gpu, Kind, Memory, Numbers, Operand, Product, Wanted};
use crate::nn::check;
use crate::nn::parameters::Layout;
use std::sync::Arc;

fn gpu() -> &'static Gpu {
    check::gpu().expect("WORDMILL_TEST_GPU is set")
}

/// Numbers that bf16 has exactly.
fn whole(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 7 + seed) % 13) as f32 - 6.0).collect()
}

/// As activations are kept.
fn upload(values: &[f32]) -> Memory {
    crate::nn::ops::cuda::rows::upload(gpu(), values)
}

fn turned(operand: Operand, is_transposed: bool) -> Operand {
    Operand {
        is_transposed,
        ..operand
    }
}

#[test]
#[ignore = "wants a GPU"]
fn values_come_back_as_they_went() {
    let values = whole(1000, 3);
    assert_eq!(Memory::from_f32(gpu(), &values).to_f32(), values);
    assert_eq!(upload(&values).to_f32(), values);
    assert_eq!(upload(&values).copy().to_f32(), values);
    assert_eq!(Memory::zeros(gpu(), Kind::F64, 3).to_f64(), [0.0; 3]);
    assert!(Memory::from_f32(gpu(), &[]).to_f32().is_empty());
}

#[test]
#[ignore = "wants a GPU"]
fn values_in_f16_are_rounded_to_the_nearest_and_end_in_infinity() {
    let gpu = Gpu::open(0, Some(Numbers::F16)).expect("a device");
    // Every value of f16, what lies half way to the next and just beside that; all that is too small and too large.
    let steps =
        (0..=0xffff_u32).flat_map(|high| [0, 1, 0x1000, 0x8000].map(|low| high << 16 | low));
    let beside = steps.flat_map(|bits| [bits.wrapping_sub(1), bits]);
    let values: Vec<f32> = beside.map(f32::from_bits).collect();
    let found = crate::nn::ops::cuda::rows::upload(&gpu, &values).to_f32();
    for (value, found) in values.into_iter().zip(found) {
        let expected = half::f16::from_f32(value).to_f32();
        let is_same =
            found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
        assert!(is_same, "{value:e}: {found:e}, not {expected:e}");
    }
}

#[test]
#[ignore = "wants a GPU"]
fn products_are_right_on_either_side_turned_or_not() {
    let (m, n, k) = (5, 7, 3);
    let (a, b) = (whole(m * k, 1), whole(k * n, 2));
    let at = |values: &[f32], columns: usize, turned: bool, row: usize, column: usize| match turned
    {
        true => values[column * columns + row],
        false => values[row * columns + column],
    };
    for (a_turned, b_turned, adds) in [
        (false, false, false),
        (true, false, true),
        (false, true, true),
        (true, true, false),
    ] {
        let (a_columns, b_columns) = (if a_turned { m } else { k }, if b_turned { k } else { n });
        let (there_a, there_b) = (upload(&a), upload(&b));
        let before = if adds {
            whole(m * n, 5)
        } else {
            vec![f32::NAN; m * n]
        };
        let c = Memory::from_f32(gpu(), &before);
        gpu().multiply(&Product {
            a: turned(there_a.matrix(0, a_columns), a_turned),
            b: turned(there_b.matrix(0, b_columns), b_turned),
            c: c.matrix(0, n),
            shape: (m, n, k),
            adds,
        });
        let expected = (0..m * n).map(|i| {
            let (row, column) = (i / n, i % n);
            let sum = (0..k).map(|l| {
                at(&a, a_columns, a_turned, row, l) * at(&b, b_columns, b_turned, l, column)
            });
            sum.sum::<f32>() + if adds { before[i] } else { 0.0 }
        });
        assert_eq!(
            c.to_f32(),
            expected.collect::<Vec<_>>(),
            "{a_turned} {b_turned}"
        );
    }
}

#[test]
#[ignore = "wants a GPU"]
fn memory_is_used_again_and_full_memory_is_a_fault_that_can_be_forgiven() {
    let gpu = Gpu::open(0, Some(Numbers::F32)).expect("a device");
    let first = Memory::of(&gpu, Kind::F32, 10_000);
    let place: Argument = (&first).into();
    let place = format!("{place:?}");
    drop(first);
    let again = Memory::of(&gpu, Kind::F32, 9_900);
    assert_eq!(format!("{:?}", Argument::from(&again)), place);
    // What was lent to one that wants less is as large as before when it comes back.
    let whole = Memory::of(&gpu, Kind::F32, 12_000);
    let (place, held) = (format!("{:?}", Argument::from(&whole)), gpu.held());
    drop(whole);
    drop(Memory::of(&gpu, Kind::F32, 10_500));
    let whole = Memory::of(&gpu, Kind::F32, 12_000);
    assert_eq!(
        (format!("{:?}", Argument::from(&whole)), gpu.held()),
        (place, held)
    );
    let held = gpu.held();
    let much = Memory::of(&gpu, Kind::F32, 1 << 50);
    let fault = gpu.check().expect_err("no device has so much");
    assert_eq!(
        fault,
        Fault::Memory {
            wanted: Wanted::Bytes(1 << 52),
            held
        }
    );
    assert!(fault.to_string().contains("4503599627370496 more bytes"));
    // What is asked of it now is left undone.
    drop(much);
    assert_eq!(Memory::from_f32(&gpu, &[1.0]).to_f32(), [0.0]);
    drop(whole);
    let lent = gpu.held();
    // What nobody has is the driver's again, which may want it.
    assert!(gpu.forgive() && gpu.check().is_ok());
    assert!(gpu.held() < lent, "{lent}");
    assert_eq!(Memory::from_f32(&gpu, &[1.0]).to_f32(), [1.0]);
}

#[test]
#[ignore = "wants a GPU"]
fn a_table_that_there_was_no_memory_for_is_brought_when_it_is_wanted_again() {
    let gpu = Gpu::open(0, Some(Numbers::F32)).expect("a device");
    let mut weights = check::weights(&Layout::default(), 1.0);
    weights.bring_to(&gpu);
    let there = weights.there().expect("weights on the device");
    let values = Arc::new(whole(100, 5));
    drop(Memory::of(&gpu, Kind::F32, 1 << 50));
    drop(there.table(&values));
    assert!(gpu.forgive());
    assert_eq!(there.table(&values).to_f32(), *values);
}

#[test]
#[ignore = "wants a GPU"]
fn a_fault_names_the_operation_and_stays() {
    let gpu = Gpu::open(0, Some(Numbers::F32)).expect("a device");
    gpu.launch("no_such_kernel", (1, 1), 32, &[]);
    gpu.launch("another", (1, 1), 32, &[]);
    let Err(Fault::Failed { operation, .. }) = gpu.wait() else {
        panic!("no fault");
    };
    assert_eq!(operation, "no_such_kernel");
    assert!(!gpu.forgive());
}

#[test]
fn a_gpu_that_is_not_there_is_named() {
    // Without the feature, without a driver, or with fewer devices.
    let error = Gpu::open(1000, None).expect_err("so many GPUs");
    assert!(!error.to_string().is_empty());
}

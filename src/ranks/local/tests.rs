//! Ranks in one process and in several: the tests that start processes are run by them, too.

use super::*;
use crate::ranks::{share_bytes, threads};
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Values of a rank that no two orders of sums round alike, several places of them and some more.
fn values(rank: usize) -> Vec<f32> {
    let values = 0..2 * PLACE / 4 + 3;
    values
        .map(|i| ((i * 7919 + rank * 104_729) % 1_000_003) as f32 * 0.001 + 1e-4)
        .collect()
}

/// What a rank finds of three that sum and share more than a place holds.
fn found(ranks: &dyn Ranks) -> (Vec<f32>, Vec<f64>, Vec<u8>) {
    let mut sums = values(ranks.rank());
    ranks.sum(&mut sums);
    let mut doubles = vec![1e-17 + ranks.rank() as f64; 5];
    ranks.sum_f64(&mut doubles);
    let own = match ranks.rank() {
        0 => (0..PLACE + 5).map(|i| (i % 251) as u8).collect(),
        _ => Vec::new(),
    };
    (sums, doubles, share_bytes(ranks, own))
}

fn expected() -> (Vec<f32>, Vec<f64>, Vec<u8>) {
    let [a, b, c] = [0, 1, 2].map(values);
    // In the order of ranks, to the last bit.
    let sums = a.iter().zip(&b).zip(&c).map(|((a, b), c)| a + b + c);
    let bytes = (0..PLACE + 5).map(|i| (i % 251) as u8);
    (sums.collect(), vec![3.0; 5], bytes.collect())
}

/// What a call that cannot end is told.
fn lost(call: impl FnOnce()) -> Lost {
    let payload = catch_unwind(AssertUnwindSafe(call)).expect_err("a call that cannot end");
    *payload.downcast().expect("what was lost")
}

/// A rank of so many processes, each of which runs a test, with what it does where it has lost another one.
fn process_that(size: usize, test: &str, lost: OnLost) -> Process {
    let test = format!("ranks::local::tests::{test}");
    let command = || {
        let mut command = Command::new(std::env::current_exe().expect("this binary"));
        command.args(["--exact", &test, "--include-ignored"]);
        command
    };
    let process = match Place::of_this() {
        Some(place) => {
            let socket = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
            join(place, socket.expect("a socket").into(), lost)
        }
        None => start(size, command, lost),
    };
    process.expect("a rank")
}

#[test]
fn threads_sum_in_the_order_of_ranks_and_share_what_the_first_has() {
    let all = threads::run(3, |ranks| found(ranks));
    assert!(all.iter().all(|found| *found == expected()));
}

#[test]
fn processes_sum_in_the_order_of_ranks_and_share_what_the_first_has() {
    let test = "processes_sum_in_the_order_of_ranks_and_share_what_the_first_has";
    let ranks = process_that(3, test, Box::new(|lost| std::panic::panic_any(lost)));
    assert!(found(&ranks) == expected(), "rank {}", ranks.rank());
    Box::new(ranks).finish();
}

#[test]
fn one_value_for_many_ranks_is_summed_too() {
    let found = threads::run(5, |ranks| {
        let mut value = [ranks.rank() as f32];
        ranks.sum(&mut value);
        ranks.sum(&mut []);
        value
    });
    assert_eq!(found, [[10.0]; 5]);
}

/// The same, and what it is told where it has lost another one, whichever of its threads finds that out.
fn process_and_lost(size: usize, test: &str) -> (Process, impl FnOnce() -> Lost) {
    let (tell, told) = std::sync::mpsc::channel();
    let lost = Box::new(move |lost| {
        tell.send(lost).expect("somebody hears it");
        loop {
            std::thread::park();
        }
    });
    let process = process_that(size, test, lost);
    let told = move || told.recv_timeout(Duration::from_secs(60));
    (process, move || told().expect("an end"))
}

#[test]
fn the_first_is_told_how_another_process_ended() {
    let test = "the_first_is_told_how_another_process_ended";
    let (ranks, lost) = process_and_lost(3, test);
    let rank = ranks.rank();
    if rank == 2 {
        std::process::abort();
    }
    // Rank 1 waits for the first, and ends with it.
    std::thread::spawn(move || ranks.sum(&mut [1.0]));
    let told = lost();
    if rank == 0 {
        assert_eq!(told.rank, 2);
        let signal = told.status.and_then(|status| status.signal());
        assert_eq!(signal, Some(libc::SIGABRT));
    }
}

#[test]
fn a_process_that_waits_elsewhere_is_told_of_the_end_of_another() {
    let test = "a_process_that_waits_elsewhere_is_told_of_the_end_of_another";
    let (ranks, lost) = process_and_lost(2, test);
    match ranks.rank() {
        0 => assert_eq!(lost().rank, 1),
        _ => std::process::abort(),
    }
}

#[test]
fn one_that_has_not_finished_is_lost_when_the_first_does() {
    let mut ranks = together(2);
    drop(ranks.pop());
    let first = ranks.pop().map(Box::new).expect("rank 0");
    assert_eq!(lost(|| first.finish()).rank, 1);
}

#[test]
fn the_others_are_told_that_the_first_is_gone() {
    let mut ranks = together(3);
    drop(ranks.remove(0));
    for other in ranks {
        assert_eq!(lost(|| other.share(&mut [0])).rank, 0);
    }
}

#[test]
fn a_place_is_what_it_is_written_as() {
    let place = Place {
        rank: 1,
        size: 8,
        file: 5,
    };
    assert_eq!(place.to_string().parse(), Ok(place));
    assert!("1/8".parse::<Place>().is_err());
}

#[test]
fn a_file_that_is_none_of_theirs_is_refused() {
    let file = tempfile::tempfile().expect("a file");
    file.set_len(100).expect("a length");
    let place = Place {
        rank: 1,
        size: 2,
        file: file.as_raw_fd(),
    };
    let (socket, _other) = UnixStream::pair().expect("two sockets");
    let joined = join(place, socket, Box::new(|lost| std::panic::panic_any(lost)));
    assert!(joined.is_err());
}

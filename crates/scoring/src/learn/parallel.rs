//! Work on many numbers at once, with a result that does not depend on how it was shared out.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

/// Numbers that a thread takes at once.
const STRIDE: usize = 64;

/// `of(scratch, n)` for each n below `count`, in order; each thread works on a `scratch` of its own.
pub(crate) fn map<S, T: Send>(
    count: usize,
    threads: usize,
    scratch: impl Fn() -> S + Sync,
    of: impl Fn(&mut S, usize) -> T + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut scratch, mut done) = (scratch(), Vec::new());
        loop {
            let start = next.fetch_add(STRIDE, Ordering::Relaxed);
            if start >= count {
                return done;
            }
            let part: Vec<T> = (start..count.min(start + STRIDE)).map(|at| of(&mut scratch, at)).collect();
            done.push((start, part));
        }
    };
    let mut parts: Vec<(usize, Vec<T>)> = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
        let mut parts = work();
        for other in others {
            parts.extend(other.join().expect("a panic of the work is passed on"));
        }
        parts
    });
    parts.sort_unstable_by_key(|(start, _)| *start);
    parts.into_iter().flat_map(|(_, part)| part).collect()
}

//! Sets of seconds: sorted ranges that neither touch nor overlap.

use std::ops::Range;

/// Puts ranges in order and joins those that touch; empty ones are left out.
pub fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_unstable_by_key(|range| range.start);
    let mut all: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match all.last_mut().filter(|last| range.start <= last.end) {
            Some(last) => last.end = last.end.max(range.end),
            None => all.push(range),
        }
    }
    all
}

/// Intersection of two sets; both are walked once.
pub fn common(one: &[Range<u64>], other: &[Range<u64>]) -> Vec<Range<u64>> {
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        both.push(a.start.max(b.start)..a.end.min(b.end));
        if a.end < b.end {
            left.next();
        } else {
            right.next();
        }
    }
    joined(both)
}

/// Difference of two sets: `from` without `what`; both are walked once.
pub fn without(from: &[Range<u64>], what: &[Range<u64>]) -> Vec<Range<u64>> {
    let (mut left, mut first) = (Vec::new(), 0);
    for range in from {
        let mut start = range.start;
        while what.get(first).is_some_and(|gone| gone.end <= range.start) {
            first += 1;
        }
        let gone = what.iter().skip(first).take_while(|gone| gone.start < range.end);
        for gone in gone {
            left.push(start..gone.start.max(start));
            start = gone.end.max(start);
        }
        left.push(start..range.end);
    }
    joined(left)
}

/// Whether an instant is in the set.
pub fn contains(ranges: &[Range<u64>], instant: u64) -> bool {
    let after = ranges.partition_point(|range| range.start <= instant);
    after.checked_sub(1).and_then(|n| ranges.get(n)).is_some_and(|range| instant < range.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges() -> impl Strategy<Value = Vec<Range<u64>>> {
        proptest::collection::vec((0_u64..60, 0_u64..20), 0..8)
            .prop_map(|all| joined(all.into_iter().map(|(a, n)| a..a + n).collect()))
    }

    proptest! {
        #[test]
        fn sets_of_seconds(a in ranges(), b in ranges(), t in 0_u64..90) {
            let (in_a, in_b) = (contains(&a, t), contains(&b, t));
            prop_assert_eq!(in_a, a.iter().any(|range| range.contains(&t)));
            prop_assert_eq!(contains(&common(&a, &b), t), in_a && in_b);
            prop_assert_eq!(contains(&without(&a, &b), t), in_a && !in_b);
            let both: Vec<_> = a.iter().chain(&b).cloned().collect();
            let both = joined(both);
            prop_assert_eq!(contains(&both, t), in_a || in_b);
            prop_assert!(both.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
}

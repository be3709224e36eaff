//! What hidden cells can be, given linear constraints over whole numbers: propagation of bounds, and a
//! search through what it leaves.

/// The least and the greatest value of a hidden cell, as the published rule has it.
const DOMAIN: (i64, i64) = (1, 9);

/// `low ≤ Σ factor · cell ≤ high`.
#[derive(Debug, Clone)]
pub(super) struct Constraint {
    pub(super) terms: Vec<(usize, i64)>,
    pub(super) low: i64,
    pub(super) high: i64,
}

type Bounds = Vec<(i64, i64)>;

/// Narrows bounds until nothing changes; false where nothing is left.
fn propagate(constraints: &[Constraint], bounds: &mut Bounds) -> bool {
    loop {
        let mut is_narrowed = false;
        for Constraint { terms, low, high } in constraints {
            let ends = |(cell, factor): &(usize, i64), bounds: &Bounds| {
                let (a, b) = (bounds[*cell].0 * factor, bounds[*cell].1 * factor);
                (a.min(b), a.max(b))
            };
            let least: i64 = terms.iter().map(|term| ends(term, bounds).0).sum();
            let most: i64 = terms.iter().map(|term| ends(term, bounds).1).sum();
            if least > *high || most < *low {
                return false;
            }
            for term in terms {
                let own = ends(term, bounds);
                // What the others leave for this term.
                let (from, to) = (low - (most - own.1), high - (least - own.0));
                let (cell, factor) = *term;
                let old = bounds[cell];
                let fits = |value: &i64| (from..=to).contains(&(value * factor));
                let mut values = (old.0..=old.1).filter(fits);
                let Some(first) = values.next() else { return false };
                let new = (first, values.next_back().unwrap_or(first));
                is_narrowed |= new != old;
                bounds[cell] = new;
            }
        }
        if !is_narrowed {
            return true;
        }
    }
}

/// Whether any assignment within the bounds satisfies all constraints.
fn is_satisfiable(constraints: &[Constraint], mut bounds: Bounds) -> bool {
    if !propagate(constraints, &mut bounds) {
        return false;
    }
    let open = bounds.iter().enumerate().filter(|(_, (low, high))| low < high);
    let Some((cell, &(low, high))) = open.min_by_key(|(_, (low, high))| high - low) else {
        return true;
    };
    (low..=high).any(|value| {
        let mut tried = bounds.clone();
        tried[cell] = (value, value);
        is_satisfiable(constraints, tried)
    })
}

/// The values that each of so many hidden cells can have.
pub(super) fn feasible(cells: usize, constraints: &[Constraint]) -> Vec<Vec<i64>> {
    let values = |cell: usize| {
        let is_possible = |value: &i64| {
            let mut bounds = vec![DOMAIN; cells];
            bounds[cell] = (*value, *value);
            is_satisfiable(constraints, bounds)
        };
        (DOMAIN.0..=DOMAIN.1).filter(is_possible).collect()
    };
    (0..cells).map(values).collect()
}

#[test]
fn it_finds_what_can_be_and_nothing_else() {
    let sum = |terms: &[(usize, i64)], low, high| Constraint { terms: terms.to_vec(), low, high };
    assert_eq!(feasible(1, &[]), [(1..=9).collect::<Vec<_>>()]);
    assert_eq!(feasible(1, &[sum(&[(0, 1)], 4, 4)]), [[4]]);
    // Two sums and a difference: neither alone says it.
    let both = [sum(&[(0, 1), (1, 1)], 10, 10), sum(&[(0, 1), (1, -1)], 4, 4)];
    assert_eq!(feasible(2, &both), [[7], [3]]);
    assert_eq!(feasible(2, &both[..1]), [(1..=9).collect::<Vec<_>>(), (1..=9).collect()]);
    // Parity: bounds alone do not see it.
    let even = [sum(&[(0, 2), (1, -2)], 1, 1)];
    assert_eq!(feasible(2, &even), [vec![0_i64; 0], vec![]]);
}

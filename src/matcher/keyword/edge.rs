//! Edges: the condition on each side of a literal, a rule's first and last character.

/// A condition on one side of a literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// `^` or `$`: the end of the label.
    Label,
    /// `|`: the end of the label, a `-` or `_`, or a change between letter and digit.
    Token,
    /// `#`: a digit.
    Digit,
    /// `*`: anything.
    Any,
}

impl Edge {
    /// The edge that `sign` means on the left.
    pub(super) fn left(sign: char) -> Option<Self> {
        if sign == '^' { Some(Self::Label) } else { Self::either(sign) }
    }

    /// The edge that `sign` means on the right.
    pub(super) fn right(sign: char) -> Option<Self> {
        if sign == '$' { Some(Self::Label) } else { Self::either(sign) }
    }

    fn either(sign: char) -> Option<Self> {
        match sign {
            '|' => Some(Self::Token),
            '#' => Some(Self::Digit),
            '*' => Some(Self::Any),
            _ => None,
        }
    }

    /// Whether it is met left of a literal that starts at `start`.
    #[inline]
    pub(super) fn holds_before(self, label: &[u8], start: usize) -> bool {
        let outside = start.checked_sub(1).and_then(|before| label.get(before));
        self.holds(outside, label.get(start))
    }

    /// Whether it is met right of a literal that ends before `end`.
    #[inline]
    pub(super) fn holds_after(self, label: &[u8], end: usize) -> bool {
        let inside = end.checked_sub(1).and_then(|last| label.get(last));
        self.holds(label.get(end), inside)
    }

    /// `outside` is the neighbour, `inside` the literal's octet beside it.
    fn holds(self, outside: Option<&u8>, inside: Option<&u8>) -> bool {
        match (self, outside) {
            (Self::Any, _)
            | (Self::Label | Self::Token, None)
            | (Self::Token, Some(b'-' | b'_')) => true,
            (Self::Digit, Some(octet)) => octet.is_ascii_digit(),
            (Self::Token, Some(outside)) => inside.is_some_and(|inside| {
                (outside.is_ascii_digit() && inside.is_ascii_alphabetic())
                    || (outside.is_ascii_alphabetic() && inside.is_ascii_digit())
            }),
            (Self::Digit, None) | (Self::Label, Some(_)) => false,
        }
    }
}

//! Label sets: enums whose values are counted apart.
//!
//! Law: the values of a set, their number, their order and their ids come from one list.
//! A new value cannot be counted as another one, because whatever is sized by the set grows
//! with it.

/// Declares a label set: a public enum with `ALL`, `COUNT`, `index` and `id`.
macro_rules! label_set {
    (
        $(#[$about:meta])*
        $set:ident { $( $(#[$doc:meta])* $value:ident => $id:literal, )+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $set { $( $(#[$doc])* $value, )+ }

        impl $set {
            /// Every value, in the order of their indices.
            pub const ALL: [Self; Self::COUNT] = [$( Self::$value ),+];
            /// The number of values.
            pub const COUNT: usize = [$( $id ),+].len();

            /// The place in [`Self::ALL`]: less than [`Self::COUNT`], and no other value's.
            #[inline]
            pub const fn index(self) -> usize {
                self as usize
            }

            /// The label in metrics.
            pub const fn id(self) -> &'static str {
                match self { $( Self::$value => $id ),+ }
            }
        }
    };
}

pub(crate) use label_set;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::resolve::{AnswerSource, BlockedBy, DropReason, Transport};

    /// The laws of a set, whatever its size.
    macro_rules! assert_laws {
        ($($set:ident),+) => {$(
            for (number, value) in $set::ALL.into_iter().enumerate() {
                assert_eq!(value.index(), number, "{value:?}");
            }
            let ids: BTreeSet<_> = $set::ALL.into_iter().map($set::id).collect();
            assert_eq!(ids.len(), $set::COUNT, "two values of one id");
        )+};
    }

    #[test]
    fn a_value_has_a_place_and_an_id_of_its_own() {
        assert_laws!(Transport, AnswerSource, BlockedBy, DropReason);
    }

    #[test]
    #[expect(unreachable_pub, reason = "the macro is for public sets")]
    fn a_set_of_three_is_as_large_as_its_list() {
        label_set! {
            /// Three ways for a query to arrive.
            Three {
                /// One.
                One => "one",
                /// Two.
                Two => "two",
                /// Three.
                Last => "last",
            }
        }
        assert_laws!(Three);
        assert_eq!((Three::COUNT, Three::Last.index(), Three::Last.id()), (3, 2, "last"));
    }
}

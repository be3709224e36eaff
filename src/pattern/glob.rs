//! Globs: pieces of host names with anchors, as Adblock lists write them.
//!
//! ```text
//! glob = [ "||" / "|" ] piece *( "*" piece ) [ "|" ]
//! ```
//!
//! `||` stands for the start of a label, `|` in front for the start of the name, `|` behind for its
//! end, `*` for any octets. Without anchors the pieces may stand anywhere.

/// The regular expression of a glob; none where a piece has a character that no host name has.
pub(super) fn expression(glob: &str) -> Option<String> {
    let (start, rest) = match (glob.strip_prefix("||"), glob.strip_prefix('|')) {
        (Some(rest), _) => ("(?:^|\\.)", rest),
        (None, Some(rest)) => ("^", rest),
        (None, None) => ("", glob),
    };
    let (rest, end) = rest.strip_suffix('|').map_or((rest, ""), |rest| (rest, "$"));
    let mut expression = start.to_owned();
    for letter in rest.chars() {
        match letter {
            'a'..='z' | '0'..='9' | '_' => expression.push(letter),
            '-' | '.' => expression.extend(['\\', letter]),
            '*' => expression.push_str(".*"),
            _ => return None,
        }
    }
    expression.push_str(end);
    Some(expression)
}

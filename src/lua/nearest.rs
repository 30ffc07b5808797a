//! The name that a wrong one probably stands for, for messages.

use super::text::{Text, text};

/// Longer words have no suggestion.
const LONGEST: usize = 32;

/// How many letters have to be changed, added, left out or swapped with the next one to make `left`
/// from `right`, without regard to case.
fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before = [0; LONGEST + 1];
    let mut last = [0; LONGEST + 1];
    let mut row = [0; LONGEST + 1];
    for (j, cell) in last.iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=left.len() {
        row[0] = i;
        for j in 1..=right.len() {
            let differs = !left[i - 1].eq_ignore_ascii_case(&right[j - 1]);
            let mut cost = (last[j - 1] + usize::from(differs))
                .min(last[j] + 1)
                .min(row[j - 1] + 1);
            let swapped = i > 1
                && j > 1
                && left[i - 1].eq_ignore_ascii_case(&right[j - 2])
                && left[i - 2].eq_ignore_ascii_case(&right[j - 1]);
            if swapped {
                cost = cost.min(before[j - 2] + 1);
            }
            row[j] = cost;
        }
        before = last;
        last = row;
    }
    last[right.len()]
}

/// The nearest of some names, if it is near: one mistake in a word of up to five letters, two in a
/// longer one. `names` has letters, digits, dots and underscores; anything else separates them. Of
/// several the first counts.
pub fn nearest<'a>(word: &[u8], names: &'a [u8]) -> Option<&'a [u8]> {
    let most = if word.len() > 5 { 2 } else { 1 };
    let mut found: Option<(usize, &[u8])> = None;
    let separates = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"_.".contains(byte);
    for name in names.split(separates) {
        // A word of one or two letters is another word when one is changed.
        if name.len().min(word.len()) < 3
            || name.len().max(word.len()) > LONGEST
            || word.len().abs_diff(name.len()) > most
        {
            continue;
        }
        let distance = distance(word, name);
        if distance <= most && found.is_none_or(|(least, _)| distance < least) {
            found = Some((distance, name));
        }
    }
    found.map(|(_, name)| name)
}

/// A part of a message: `; do you mean '<name>'?` with the nearest name; empty if there is none.
pub fn suggestion(word: &[u8], names: &[u8]) -> Text {
    match nearest(word, names) {
        Some(name) => text!["; do you mean '", name, "'?"],
        None => Text::new(),
    }
}

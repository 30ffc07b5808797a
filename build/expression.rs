//! The value of a constant C expression such as `(-(0x7fffffff/2 + 1000))`: integers, parentheses,
//! `+ - * /`.

/// The value, or `None` if the text is anything else, overflows or divides by zero.
pub fn evaluate(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let value = sum(&mut rest)?;
    rest.is_empty().then_some(value)
}

fn sum(rest: &mut &str) -> Option<i64> {
    let mut value = product(rest)?;
    loop {
        value = match take(rest, &['+', '-']) {
            Some('+') => value.checked_add(product(rest)?)?,
            Some(_) => value.checked_sub(product(rest)?)?,
            None => return Some(value),
        }
    }
}

fn product(rest: &mut &str) -> Option<i64> {
    let mut value = factor(rest)?;
    loop {
        value = match take(rest, &['*', '/']) {
            Some('*') => value.checked_mul(factor(rest)?)?,
            Some(_) => value.checked_div(factor(rest)?)?,
            None => return Some(value),
        }
    }
}

fn factor(rest: &mut &str) -> Option<i64> {
    match take(rest, &['-', '+', '(']) {
        Some('-') => factor(rest)?.checked_neg(),
        Some('+') => factor(rest),
        Some(_) => {
            let value = sum(rest)?;
            take(rest, &[')']).map(|_| value)
        }
        None => integer(rest),
    }
}

fn integer(rest: &mut &str) -> Option<i64> {
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after.trim_start();
    let digits = digits.to_ascii_lowercase();
    // Type suffixes; none of these letters is a hexadecimal digit.
    let digits = digits.trim_end_matches(['u', 'l']);
    match digits.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// Takes the next character if it is one of these.
fn take(rest: &mut &str, wanted: &[char]) -> Option<char> {
    let next = rest.chars().next().filter(|c| wanted.contains(c))?;
    *rest = rest[next.len_utf8()..].trim_start();
    Some(next)
}

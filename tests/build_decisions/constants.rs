//! Constant C expressions have their value.

use crate::expression::evaluate;

#[test]
fn the_forms_found_in_headers_have_their_value() {
    assert_eq!(evaluate("504"), Some(504));
    assert_eq!(evaluate("(-10000)"), Some(-10_000));
    assert_eq!(evaluate("(-1000000 - 1000)"), Some(-1_001_000));
    assert_eq!(evaluate("((-1000000 - 1000))"), Some(-1_001_000));
    assert_eq!(evaluate("(-(0x7fffffff/2 + 1000))"), Some(-1_073_742_823));
    assert_eq!(evaluate("(-(2147483647 /2 + 1000))"), Some(-1_073_742_823));
    assert_eq!(evaluate("60UL * 2"), Some(120));
    assert_eq!(evaluate("1 - 2 - 3"), Some(-4));
}

#[test]
fn anything_else_has_none() {
    for text in [
        "",
        "LUA_IDSIZE",
        "(1",
        "1)",
        "1 +",
        "2 3",
        "1/0",
        "1.5",
        "0x",
        "99999999999999999999",
        "9223372036854775807 + 1",
    ] {
        assert_eq!(evaluate(text), None, "{text}");
    }
}

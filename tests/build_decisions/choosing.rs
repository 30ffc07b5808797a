//! Exactly one feature chooses the Lua.

use super::*;

#[test]
fn one_feature_chooses_its_lua() {
    for lua in Lua::ALL {
        assert_eq!(lua::chosen(&[lua]), Ok(lua));
    }
}

#[test]
fn without_a_feature_the_sentence_lists_them_all() {
    let sentence = lua::chosen(&[]).unwrap_err();
    assert!(sentence.starts_with("no Lua was chosen: "), "{sentence}");
    for lua in Lua::ALL {
        assert!(sentence.contains(lua.feature()), "{sentence}");
    }
}

#[test]
fn several_features_are_named_back() {
    let sentence = lua::chosen(&[Lua::V51, Lua::Jit]).unwrap_err();
    assert!(
        sentence.starts_with("2 Luas were chosen (lua51, luajit): build with exactly one"),
        "{sentence}"
    );
}

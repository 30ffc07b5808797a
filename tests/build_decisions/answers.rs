//! What both header readers print is understood.

use super::*;

const PREPROCESSED: &str = "# 1 \"lanes_question.c\"\n\
    typedef double lua_Number;\n\
    lanes_fact release \"Lua \" \"5\" \".\" \"4\" \".\" \"7\"\n\
    lanes_fact version_num 504\n\
    lanes_fact jit 0\n\
    lanes_fact number double\n\
    lanes_fact integer long long\n\
    lanes_fact registry_index (-1000000 - 1000)\n\
    lanes_fact id_size 60\n\
    lanes_fact dyld 0\n";

const BOUND: &str = "/* automatically generated */\n\
    pub const lanes_release : & [u8 ; 10] = b\"Lua 5.4.7\\0\" ; pub const lanes_version_num : :: std :: os :: raw :: c_int = 504 ; \
    pub const lanes_jit : :: std :: os :: raw :: c_int = 0 ; \
    unsafe extern \"C\" { pub static mut lanes_number : f64 ; } \
    unsafe extern \"C\" { pub static mut lanes_integer : :: std :: os :: raw :: c_longlong ; } \
    pub const lanes_registry_index : :: std :: os :: raw :: c_int = - 1001000 ; \
    pub const lanes_id_size : :: std :: os :: raw :: c_int = 60 ; pub const lanes_dyld : :: std :: os :: raw :: c_int = 0 ;";

#[test]
fn of_both_readers_say_the_same() {
    assert_eq!(
        headers::from_preprocessor(PREPROCESSED),
        Ok(stock(Lua::V54))
    );
    assert_eq!(headers::from_bindgen(BOUND), Ok(stock(Lua::V54)));
}

#[test]
fn know_unusual_types() {
    let of = |number: &str, integer: &str| {
        let output = PREPROCESSED
            .replace("number double", &format!("number {number}"))
            .replace("integer long long", &format!("integer {integer}"));
        let headers = headers::from_preprocessor(&output).unwrap();
        (headers.number, headers.integer)
    };
    assert_eq!(
        of("long  double", "__int64"),
        ("long double".to_string(), "long long".to_string())
    );
    let bound = BOUND.replace("f64", "f32").replace("c_longlong", "c_int");
    let headers = headers::from_bindgen(&bound).unwrap();
    assert_eq!(
        (headers.number.as_str(), headers.integer.as_str()),
        ("float", "int")
    );
}

#[test]
fn that_lack_something_say_what() {
    let output = PREPROCESSED.replace("lanes_fact id_size 60\n", "");
    assert_eq!(
        headers::from_preprocessor(&output),
        Err("the answer lacks `id_size`".to_string())
    );
    assert_eq!(
        headers::from_bindgen(""),
        Err("the answer lacks `release`".to_string())
    );
    let output = PREPROCESSED.replace("id_size 60", "id_size LUA_IDSIZE");
    assert_eq!(
        headers::from_preprocessor(&output),
        Err("`id_size` is not a constant number but `LUA_IDSIZE`".to_string())
    );
}

#[test]
fn questions_ask_luajit_for_its_release() {
    for question in [
        headers::question_for_bindgen,
        headers::question_for_preprocessor,
    ] {
        assert!(question(true).contains("#include \"luajit.h\""));
        assert!(!question(false).contains("#include \"luajit.h\""));
    }
}

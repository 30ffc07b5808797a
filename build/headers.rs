//! Facts from Lua's headers: the C text that asks for them, and the parsing of what either reader
//! returns.

/// The facts from the headers of one installed Lua.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// `LUAJIT_VERSION` if there is one, else `LUA_RELEASE`: "Lua 5.4.4", "LuaJIT 2.1.0-beta3".
    pub release: String,
    /// `LUA_VERSION_NUM`.
    pub version_num: i64,
    /// Whether they are LuaJIT's.
    pub jit: bool,
    /// The type of `lua_Number`, in C syntax.
    pub number: String,
    /// The type of `lua_Integer`, in C syntax.
    pub integer: String,
    /// `LUA_REGISTRYINDEX`.
    pub registry_index: i64,
    /// `LUA_IDSIZE`, on which the layout of `lua_Debug` depends.
    pub id_size: i64,
    /// Whether `LUA_DL_DYLD` is defined, which selects Lua 5.1's module loader for old releases of
    /// macOS.
    pub dyld: bool,
}

/// The C text that both readers begin with: it includes Lua's headers. `luajit_h`: whether there is
/// a luajit.h.
fn includes(luajit_h: bool) -> String {
    let luajit = if luajit_h {
        "#include \"luajit.h\"\n"
    } else {
        ""
    };
    format!(
        "#include <limits.h>\n#include <stddef.h>\n#include \"lua.h\"\n#include \"lualib.h\"\n{luajit}\
         #ifdef LUAJIT_VERSION\n#define LANES_RELEASE LUAJIT_VERSION\n#else\n#define LANES_RELEASE LUA_RELEASE\n#endif\n\
         #ifdef LUA_JITLIBNAME\n#define LANES_JIT 1\n#else\n#define LANES_JIT 0\n#endif\n\
         #ifdef LUA_DL_DYLD\n#define LANES_DYLD 1\n#else\n#define LANES_DYLD 0\n#endif\n"
    )
}

/// The text for a C preprocessor, which expands the macro in each `lanes_fact` line.
pub fn question_for_preprocessor(luajit_h: bool) -> String {
    format!(
        "{}\
         lanes_fact release LANES_RELEASE\n\
         lanes_fact version_num LUA_VERSION_NUM\n\
         lanes_fact jit LANES_JIT\n\
         lanes_fact number LUA_NUMBER\n\
         lanes_fact integer LUA_INTEGER\n\
         lanes_fact registry_index LUA_REGISTRYINDEX\n\
         lanes_fact id_size LUA_IDSIZE\n\
         lanes_fact dyld LANES_DYLD\n",
        includes(luajit_h)
    )
}

/// The text for bindgen, which evaluates constants and resolves types itself.
pub fn question_for_bindgen(luajit_h: bool) -> String {
    format!(
        "{}\
         static const char *const lanes_release = LANES_RELEASE;\n\
         static const int lanes_version_num = LUA_VERSION_NUM;\n\
         static const int lanes_jit = LANES_JIT;\n\
         extern LUA_NUMBER lanes_number;\n\
         extern LUA_INTEGER lanes_integer;\n\
         static const int lanes_registry_index = LUA_REGISTRYINDEX;\n\
         static const int lanes_id_size = LUA_IDSIZE;\n\
         static const int lanes_dyld = LANES_DYLD;\n",
        includes(luajit_h)
    )
}

/// Parses the output of a C preprocessor.
pub fn from_preprocessor(output: &str) -> Result<Headers, String> {
    assemble(|name| {
        output.lines().find_map(|line| {
            let rest = line.trim_start().strip_prefix("lanes_fact ")?;
            rest.strip_prefix(name)?.strip_prefix(' ').map(str::trim)
        })
    })
}

/// Parses the output of bindgen: Rust declarations such as
/// `pub const lanes_jit : ::std::os::raw::c_int = 0 ;` and `pub static mut lanes_number : f64 ;`.
pub fn from_bindgen(output: &str) -> Result<Headers, String> {
    assemble(|name| {
        output.split("pub ").find_map(|declaration| {
            let (head, body) = declaration.split_once(':')?;
            if head.split_whitespace().last()? != format!("lanes_{name}") {
                return None;
            }
            let value = body.split_once('=').map_or(body, |(_type, value)| value);
            value.split(';').next().map(str::trim)
        })
    })
}

/// Makes the facts; `fact` returns the text of a fact from the reader's output.
fn assemble<'a>(fact: impl Fn(&str) -> Option<&'a str>) -> Result<Headers, String> {
    let text = |name: &str| fact(name).ok_or(format!("the answer lacks `{name}`"));
    let number = |name: &str| {
        let text = text(name)?;
        crate::expression::evaluate(text)
            .ok_or(format!("`{name}` is not a constant number but `{text}`"))
    };
    Ok(Headers {
        release: string(text("release")?),
        version_num: number("version_num")?,
        jit: number("jit")? != 0,
        number: c_type(text("number")?),
        integer: c_type(text("integer")?),
        registry_index: number("registry_index")?,
        id_size: number("id_size")?,
        dyld: number("dyld")? != 0,
    })
}

/// The contents of adjacent string literals, C's (`"Lua " "5" ".4"`) or Rust's (`b"Lua 5.4\0"`).
fn string(text: &str) -> String {
    let inside = text.split('"').skip(1).step_by(2);
    inside.collect::<String>().replace("\\0", "")
}

/// The C name of a type, from its name in C or Rust.
fn c_type(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = words.rsplit("::").next().unwrap_or_default().trim();
    match plain {
        "f64" | "c_double" => "double",
        "f32" | "c_float" => "float",
        "u128" => "long double",
        "isize" => "ptrdiff_t",
        "c_longlong" | "i64" | "__int64" => "long long",
        "c_long" => "long",
        "c_int" | "i32" => "int",
        other => other,
    }
    .to_string()
}

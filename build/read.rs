//! Reads the headers of an installed Lua: with bindgen, or with the C preprocessor if libclang is
//! missing.

use std::panic;
use std::path::{Path, PathBuf};

use crate::headers::{self, Headers};

/// A way to read headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Bindgen,
    Preprocessor,
}

/// The readers to try, by the value of `LANES_HEADER_READER`: unset or empty means both, in this
/// order.
pub fn readers(wish: Option<&str>) -> Result<&'static [Reader], String> {
    match wish.unwrap_or_default() {
        "" => Ok(&[Reader::Bindgen, Reader::Preprocessor]),
        "bindgen" => Ok(&[Reader::Bindgen]),
        "cc" => Ok(&[Reader::Preprocessor]),
        other => Err(format!(
            "LANES_HEADER_READER is `{other}`, but must be `bindgen`, `cc` or unset"
        )),
    }
}

/// Reads the headers in `directories` with the first reader that works.
/// `scratch` is a directory for a temporary file. The error says why each reader failed.
pub fn read(
    directories: &[PathBuf],
    scratch: &Path,
    readers: &[Reader],
) -> Result<Headers, String> {
    let mut reasons = Vec::new();
    for reader in readers {
        let answer = match reader {
            Reader::Bindgen => with_bindgen(directories).map_err(|why| format!("bindgen: {why}")),
            Reader::Preprocessor => with_preprocessor(directories, scratch)
                .map_err(|why| format!("the C compiler: {why}")),
        };
        match answer {
            Ok(headers) => return Ok(headers),
            Err(why) => reasons.push(why),
        }
    }
    Err(reasons.join("; "))
}

fn has_luajit_h(directories: &[PathBuf]) -> bool {
    directories
        .iter()
        .any(|directory| directory.join("luajit.h").is_file())
}

fn with_bindgen(directories: &[PathBuf]) -> Result<Headers, String> {
    let question = headers::question_for_bindgen(has_luajit_h(directories));
    let arguments = directories
        .iter()
        .map(|directory| format!("-I{}", directory.display()));
    let builder = bindgen::Builder::default()
        .header_contents("lanes_question.h", &question)
        .clang_args(arguments)
        .allowlist_item("lanes_.*")
        .layout_tests(false)
        .formatter(bindgen::Formatter::None);
    // bindgen panics if there is no libclang; treated like any other failure.
    let loud = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| builder.generate()));
    panic::set_hook(loud);
    match outcome {
        Ok(Ok(bindings)) => headers::from_bindgen(&bindings.to_string()),
        Ok(Err(why)) => Err(why.to_string()),
        Err(_) => Err("libclang cannot be loaded".to_string()),
    }
}

fn with_preprocessor(directories: &[PathBuf], scratch: &Path) -> Result<Headers, String> {
    let source = scratch.join("lanes_question.c");
    let question = headers::question_for_preprocessor(has_luajit_h(directories));
    std::fs::write(&source, question)
        .map_err(|why| format!("cannot write {}: {why}", source.display()))?;
    let output = cc::Build::new()
        .cargo_metadata(false)
        .cargo_warnings(false)
        .includes(directories)
        .file(&source)
        .try_expand()
        .map_err(|why| why.to_string())?;
    headers::from_preprocessor(&String::from_utf8_lossy(&output))
}

//! What a lane can require: the paths and loaders of its creator's `package`, and the modules of
//! the option `required` (docs/manual/generators.md#launching).

use super::globals;
use super::launch::{Launch, next};
use crate::lua::{KEYS, Kind, NOT_ENOUGH_MEMORY, Raise, Raising, State, protect};
use crate::message::{Label, register};

/// Whether a failure, whose error value is at the top of the stack, says that memory ran out.
fn is_memory_error(state: State, raise: &Raise) -> bool {
    // Not only Lua's own: where there is no memory for more of the stack the message says more.
    let says_so = |text: &[u8]| {
        text.windows(NOT_ENOUGH_MEMORY.len())
            .any(|part| part == NOT_ENOUGH_MEMORY.as_bytes())
    };
    match raise {
        Raise::Value => state.bytes(-1).is_some_and(says_so),
        Raise::Bare(text) => says_so(text.bytes()),
        _ => false,
    }
}

/// Pushes the global `package`.
fn push_package(raising: Raising) {
    raising.push_globals();
    raising.raw_get_name(-1, b"package");
    raising.remove(-2);
}

impl Launch<'_> {
    /// Copies `path`, `cpath` and `preload` of the creator's `package`, or of the option of that
    /// name.
    pub(super) fn package(&self) -> Result<(), Raise> {
        let (from, to) = (self.from, self.to);
        self.inside(0, push_package)?;
        if to.kind(-1) != Kind::Table {
            to.pop(1);
            return Ok(());
        }
        self.option("package")?;
        if from.is_none_or_nil(-1) {
            from.pop(1);
            protect(from, 0, push_package)?;
        }
        if from.kind(-1) != Kind::Table {
            from.pop(1);
            to.pop(1);
            return Ok(());
        }
        for name in [&b"path"[..], b"cpath"] {
            protect(from, 1, move |raising| raising.raw_get_name(1, name))?;
            if let Some(bytes) = from.bytes(-1) {
                self.inside(1, move |raising| {
                    raising.push_bytes(bytes);
                    raising.raw_set_name(1, name);
                })?;
            }
            from.pop(1);
        }
        protect(from, 1, |raising| raising.raw_get_name(1, b"preload"))?;
        if from.kind(-1) == Kind::Table {
            self.preload()?;
        }
        from.pop(2);
        to.pop(1);
        Ok(())
    }

    /// Copies loaders that can travel from the table at the top of the creator's stack into the
    /// `preload` of the `package` at the top of the lane's. Entries that the lane has stay.
    fn preload(&self) -> Result<(), Raise> {
        let (from, to) = (self.from, self.to);
        self.inside(1, |raising| raising.raw_get_name(1, b"preload"))?;
        if to.kind(-1) != Kind::Table {
            to.pop(1);
            return Ok(());
        }
        from.push_nil();
        while next(from)? {
            if let Some(name) = from.bytes(-2) {
                self.inside(1, move |raising| {
                    raising.raw_get_name(1, name);
                })?;
                let absent = to.is_none_or_nil(-1);
                to.pop(1);
                if absent && from.kind(-1) == Kind::Function {
                    let depth = (from.top(), to.top());
                    from.push_copy(-1);
                    match self.encode(Label::Package) {
                        // Lua code has raised it, such as a finalizer: it says nothing about the
                        // loader.
                        Err(Raise::Value) => return Err(Raise::Value),
                        Err(raise) if is_memory_error(from, &raise) => return Err(raise),
                        Err(_) => {}
                        Ok(packet) => match self.decode(Label::Package, &packet) {
                            Ok(()) => {
                                self.inside(2, move |raising| raising.raw_set_name(1, name))?
                            }
                            Err(raise) if is_memory_error(from, &raise) => return Err(raise),
                            Err(_) => {}
                        },
                    }
                    from.set_top(depth.0);
                    to.set_top(depth.1);
                }
            }
            from.pop(1);
        }
        to.pop(1);
        Ok(())
    }

    /// Requires the modules in the lane, and registers their names.
    pub(super) fn required(&self) -> Result<(), Raise> {
        let (from, to) = (self.from, self.to);
        self.option("required")?;
        if from.is_none_or_nil(-1) {
            from.pop(1);
            return Ok(());
        }
        let interface = self.context.interface();
        self.inside(0, move |raising| globals::hide(raising, interface))?;
        let wrong = || {
            Raise::message(format!(
                "required module list should be a list of strings, got a {} under a key of type {}",
                from.type_name(-1),
                from.type_name(-2)
            ))
        };
        let mut count = 0;
        from.push_nil();
        while from.next(-2) {
            count += 1;
            if from.kind(-2) != Kind::Number || from.kind(-1) != Kind::String {
                return Err(wrong());
            }
            from.pop(1);
        }
        for n in 1..=count {
            from.raw_get_index(-1, n);
            let Some(name) = from.bytes(-1) else {
                return Err(Raise::message(format!(
                    "required module list should be a list of strings, got nothing at {n}"
                )));
            };
            if to.raw_get_index(State::REGISTRY, KEYS.require) != Kind::Function {
                return Err(Raise::message(
                    "cannot pre-require modules without loading 'package' library first: give the lane \"package\" \
                     or \"*\"",
                ));
            }
            self.inside(0, move |raising| raising.push_bytes(name))?;
            to.call_protected(1, Some(1), 0)
                .map_err(|_| self.carry(Raise::Value))?;
            if matches!(to.kind(-1), Kind::Table | Kind::Function) {
                let cache = &self.lane.coders.cache;
                self.inside(1, move |raising| {
                    register(cache, raising, name);
                    raising.set_top(0);
                })?;
            } else {
                to.pop(1);
            }
            from.pop(1);
        }
        from.pop(1);
        Ok(())
    }
}

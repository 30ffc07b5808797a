//! The way from a module to a function within it, as names keep it: each part as its length, a colon and its bytes, so that any text can
//! be a part. In a stored name the module is the first part. People see the parts with slashes between them.

/// The parts of a path; ends early where it does not make sense.
#[derive(Clone)]
pub struct Parts<'a>(&'a [u8]);

impl<'a> Parts<'a> {
    /// The parts of `path`.
    pub fn of(path: &'a [u8]) -> Parts<'a> {
        Parts(path)
    }

    /// What follows the parts that were read.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// The bytes that people see.
    pub fn displayed(self) -> impl Iterator<Item = u8> {
        self.enumerate().flat_map(|(n, part)| {
            (n > 0)
                .then_some(b'/')
                .into_iter()
                .chain(part.iter().copied())
        })
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let colon = self.0.iter().position(|&byte| byte == b':')?;
        let len: usize = std::str::from_utf8(&self.0[..colon]).ok()?.parse().ok()?;
        let rest = self.0.get(colon + 1..)?;
        let part = rest.get(..len)?;
        self.0 = rest.get(len..)?;
        Some(part)
    }
}

//! The C interface besides the loader (include/lanes.h): objects of C modules that lanes share, and
//! embedding.

mod deep;
mod embedded;
mod foreign;
mod internals;
mod registration;
